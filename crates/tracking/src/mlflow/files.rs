//! The run's files, uploaded through the server.

use serde_json::{Map, Value};

use super::client::Client;
use super::place::Place;
use crate::{Cursor, RunFile, SinkFault};

/// Uploads what was not uploaded yet or has changed since.
pub(super) fn upload(
    client: &Client,
    place: &Place,
    files: &[RunFile],
    cursor: &mut Cursor,
) -> Result<(), SinkFault> {
    let Some(below) = proxied(&place.artifact_uri) else {
        cursor.tell(format!(
            "files are not uploaded: the server keeps them at {}, which it does not pass them on to; start it with \
             --serve-artifacts",
            place.artifact_uri
        ));
        return Ok(());
    };
    let mut uploaded = cursor.recall("files").and_then(Value::as_object).cloned().unwrap_or_default();
    for file in files {
        let Some(state) = state(file) else { continue };
        if uploaded.get(&file.name) == Some(&state) {
            continue;
        }
        client.upload(&format!("{below}/{}", file.name), &file.path)?;
        uploaded.insert(file.name.clone(), state);
        cursor.remember("files", Value::Object(Map::clone(&uploaded)));
    }
    Ok(())
}

/// The path below the server's artifacts, where the server passes files on: `mlflow-artifacts:/1/abc/artifacts` or
/// `mlflow-artifacts://host/1/abc/artifacts`.
fn proxied(artifact_uri: &str) -> Option<&str> {
    let rest = artifact_uri.strip_prefix("mlflow-artifacts:")?;
    let path = match rest.strip_prefix("//") {
        Some(with_host) => with_host.split_once('/')?.1,
        None => rest,
    };
    Some(path.trim_matches('/'))
}

/// What changes when a file does: its length and its time. None for one that is gone.
fn state(file: &RunFile) -> Option<Value> {
    let metadata = std::fs::metadata(&file.path).ok()?;
    let changed = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} bytes, {} ms", metadata.len(), changed.as_millis()).into())
}

#[test]
fn files_go_through_the_server_where_it_passes_them_on() {
    assert_eq!(proxied("mlflow-artifacts:/1/abc/artifacts"), Some("1/abc/artifacts"));
    assert_eq!(proxied("mlflow-artifacts://host:5000/1/abc/artifacts"), Some("1/abc/artifacts"));
    assert_eq!(proxied("s3://bucket/1/abc/artifacts"), None);
    assert_eq!(proxied("/srv/mlruns/1/abc/artifacts"), None);
}
