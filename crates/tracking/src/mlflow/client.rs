//! Requests to an MLflow server, and what its answers mean.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body, RequestBuilder, SendBody};

use crate::{Secrets, SinkFault};

/// Until somebody answers at the address.
const CONNECT: Duration = Duration::from_secs(10);
/// Until a request about a run is answered. A batch takes a loaded server some seconds.
const ANSWER: Duration = Duration::from_secs(60);
/// Until a file is sent and taken.
const UPLOAD: Duration = Duration::from_mins(30);
/// Bytes of an answer that are read. A server that says more says it to somebody else.
const LONGEST_ANSWER: u64 = 4 << 20;

/// A server and how to talk to it.
pub(super) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<String>,
}

/// What a server says when it does not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the server answers {status}{}{}", if code.is_empty() { "" } else { " " }, code)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// MLflow's own word, such as `RESOURCE_DOES_NOT_EXIST`; empty where something else answered.
    pub(super) code: String,
    pub(super) message: String,
    after: Option<Duration>,
}

/// Why there is no answer to work with.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It was said.
    Refused(Refusal),
    /// Nobody said anything, or nothing that can be understood.
    Silent(SinkFault),
}

impl NoAnswer {
    /// Whether it is MLflow's answer with this code.
    pub(super) fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }
}

impl From<NoAnswer> for SinkFault {
    fn from(answer: NoAnswer) -> Self {
        match answer {
            NoAnswer::Silent(fault) => fault,
            NoAnswer::Refused(refusal) => {
                let Refusal { status, code, message, after } = refusal;
                let words = match (status, code.as_str()) {
                    (401 | 403, _) => format!(
                        "the server answers {status}; give credentials in MLFLOW_TRACKING_USERNAME and \
                         MLFLOW_TRACKING_PASSWORD, or in MLFLOW_TRACKING_TOKEN"
                    ),
                    (_, "") => format!("the server answers {status}: {message}"),
                    (_, code) => format!("the server answers {status} {code}: {message}"),
                };
                if may_pass(status, &code) { Self::passing(words).after(after) } else { Self::lasting(words) }
            }
        }
    }
}

/// Whether the same request may be granted later. A proxy in front of a server that restarts answers 404 without MLflow's
/// word for it; `BAD_REQUEST` is its word for what its database refused, as when two runs name a new data set at once.
fn may_pass(status: u16, code: &str) -> bool {
    matches!(status, 408 | 425 | 429)
        || status >= 500
        || (status == 404 && code.is_empty())
        || (status == 400 && code == "BAD_REQUEST")
}

impl Client {
    pub(super) fn new(uri: &str, secrets: &Secrets) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("tapeline/", env!("CARGO_PKG_VERSION")))
            .build();
        let token = secrets.get("MLFLOW_TRACKING_TOKEN").map(|token| format!("Bearer {token}"));
        let password = || {
            let user = secrets.get("MLFLOW_TRACKING_USERNAME")?;
            let password = secrets.get("MLFLOW_TRACKING_PASSWORD").unwrap_or_default();
            Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
        };
        let authorization = token.or_else(password);
        Self { agent: Agent::new_with_config(config), base: uri.trim_end_matches('/').into(), authorization }
    }

    /// `GET` of a call of the tracking API, such as `runs/get`.
    pub(super) fn get(&self, call: &str, query: &[(&str, &str)]) -> Result<Value, NoAnswer> {
        let url = format!("{}/api/2.0/mlflow/{call}", self.base);
        let request = self.authorized(self.agent.get(url)).query_pairs(query.iter().copied());
        json(request.call())
    }

    /// `POST` of the same.
    pub(super) fn post(&self, call: &str, body: &Value) -> Result<Value, NoAnswer> {
        let url = format!("{}/api/2.0/mlflow/{call}", self.base);
        let request = self.authorized(self.agent.post(url)).content_type("application/json");
        // Numbers that JSON lacks are text by now; serialising cannot fail.
        json(request.send(body.to_string()))
    }

    /// Uploads the file at `from` to `place`, a path below the server's artifacts.
    pub(super) fn upload(&self, place: &str, from: &Path) -> Result<(), SinkFault> {
        let cannot_read =
            |error| SinkFault::passing(format!("cannot read {}", from.display())).because(error);
        let mut file = std::fs::File::open(from).map_err(cannot_read)?;
        let length = file.metadata().map_err(cannot_read)?.len();
        // Its length is told beforehand: the journal grows while it is read.
        let mut content = file.by_ref().take(length);
        let request = self.put(place).header("Content-Length", length.to_string());
        let request = request.config().timeout_global(Some(UPLOAD)).build();
        taken(request.send(SendBody::from_reader(&mut content)))
    }

    /// Uploads `text` to `place`.
    pub(super) fn upload_text(&self, place: &str, text: &str) -> Result<(), SinkFault> {
        taken(self.put(place).send(text))
    }

    fn put(&self, place: &str) -> RequestBuilder<ureq::typestate::WithBody> {
        let place: Vec<String> = place.split('/').map(percent_encoded).collect();
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{}", self.base, place.join("/"));
        self.authorized(self.agent.put(url)).content_type("application/octet-stream")
    }

    fn authorized<Any>(&self, request: RequestBuilder<Any>) -> RequestBuilder<Any> {
        match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }
}

/// Whether a file was taken. The answer may be empty.
fn taken(answer: Result<Response<Body>, ureq::Error>) -> Result<(), SinkFault> {
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        other => json(other).map(drop).map_err(Into::into),
    }
}

fn json(answer: Result<Response<Body>, ureq::Error>) -> Result<Value, NoAnswer> {
    let silent = |error: ureq::Error| {
        NoAnswer::Silent(SinkFault::passing("the server cannot be reached").because(error))
    };
    let mut answer = answer.map_err(silent)?;
    let status = answer.status().as_u16();
    let after = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
    let text = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string().map_err(silent)?;
    let said: Option<Value> = serde_json::from_str(&text).ok();
    if (200..300).contains(&status) {
        return said.ok_or_else(|| {
            let start: String = text.chars().take(80).collect();
            NoAnswer::Silent(SinkFault::passing(format!("no MLflow server answers there, but {start:?}")))
        });
    }
    let word = |key: &str| {
        let word = said.as_ref().and_then(|said| said.get(key)?.as_str());
        word.unwrap_or_default().to_owned()
    };
    let message = if said.is_some() { word("message") } else { text.chars().take(200).collect() };
    let code = word("error_code");
    Err(NoAnswer::Refused(Refusal { status, code, message, after: after.map(Duration::from_secs) }))
}

/// A part of a path, RFC 3986: everything but unreserved characters as `%XX`.
fn percent_encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Base64, RFC 4648: what HTTP's Basic authentication is written in.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    #[test]
    fn odd_characters_of_a_name_are_encoded() {
        assert_eq!(percent_encoded("scores-test.json"), "scores-test.json");
        assert_eq!(percent_encoded("a b%ü/"), "a%20b%25%C3%BC%2F");
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        let lasting = |status, code: &str| {
            let (code, message) = (code.into(), String::new());
            let refusal = Refusal { status, code, message, after: None };
            SinkFault::from(NoAnswer::Refused(refusal)).is_lasting()
        };
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(!lasting(status, ""), "{status}");
        }
        assert!(!lasting(404, ""), "a proxy in front of a server that restarts");
        for (status, code) in
            [(400, "INVALID_PARAMETER_VALUE"), (401, ""), (403, ""), (404, "RESOURCE_DOES_NOT_EXIST")]
        {
            assert!(lasting(status, code), "{status}");
        }
    }
}
