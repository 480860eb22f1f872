//! `--metrics-listen`: the figures of a run for Prometheus, over HTTP.

#[cfg(test)]
mod tests;
mod text;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;

use crate::board::Board;
use crate::failure::Failure;
use crate::screen::lock;

/// Whoever asks says what it wants in so much time and so many bytes.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_REQUEST: u64 = 16 * 1024;

/// Where figures are served.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScrapeArguments {
    /// Serve the run's figures for Prometheus at /metrics of this address, such as 127.0.0.1:9464.
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Let other machines ask for them: anybody who reaches the address can read the figures.
    #[arg(long, requires = "metrics_listen")]
    metrics_allow_remote: bool,
}

impl ScrapeArguments {
    pub(crate) const fn is_wanted(&self) -> bool {
        self.metrics_listen.is_some()
    }

    /// Refuses an address where others could read the figures, unless they may.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.metrics_listen {
            Some(address) if !address.ip().is_loopback() && !self.metrics_allow_remote => {
                Err(Failure::bad_input(anyhow!(
                    "--metrics-listen {address}: others could read the figures there; listen on 127.0.0.1, or add \
                     --metrics-allow-remote"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Serves `board` until the value is dropped.
    pub(crate) fn start(&self, board: Arc<Mutex<Board>>) -> Result<Option<Scrape>, Failure> {
        self.check()?;
        let Some(address) = self.metrics_listen else { return Ok(None) };
        let listener = TcpListener::bind(address)
            .with_context(|| format!("--metrics-listen {address}: cannot listen there"))
            .map_err(Failure::bad_input)?;
        let address = listener.local_addr().context("cannot tell the address of --metrics-listen")?;
        eprintln!("figures for Prometheus: http://{address}/metrics");
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, allow_remote) = (Arc::clone(&is_over), self.metrics_allow_remote);
        let serve = move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // Who asked and went away is no concern of the run.
                if let Ok(stream) = stream {
                    let _ = answer(stream, allow_remote, &board);
                }
            }
        };
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(serve);
        Ok(Some(Scrape { address, is_over, thread: thread.ok() }))
    }
}

/// A server of figures.
pub(crate) struct Scrape {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Scrape {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // It waits for somebody who asks.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            drop(thread.join());
        }
    }
}

/// What is wanted.
struct Request {
    method: String,
    path: String,
    host: Option<String>,
}

fn answer(mut stream: TcpStream, allow_remote: bool, board: &Mutex<Board>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(request) = read(&stream)? else {
        return reply(&mut stream, "400 Bad Request", "this is no HTTP request\n");
    };
    // A page of another site, opened in a browser on this machine, must not read what is meant for this machine.
    if !allow_remote && !request.host.as_deref().is_some_and(is_this_machine) {
        return reply(&mut stream, "403 Forbidden", "the figures are served to this machine alone\n");
    }
    match (request.method.as_str(), request.path.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/metrics") => {
            let text = text::render(&lock(board));
            reply(&mut stream, "200 OK", if request.method == "HEAD" { "" } else { &text })
        }
        ("GET" | "HEAD", _) => reply(&mut stream, "404 Not Found", "the figures are at /metrics\n"),
        _ => reply(&mut stream, "405 Method Not Allowed", "ask with GET\n"),
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut lines = BufReader::new(stream.take(LONGEST_REQUEST)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut words = first.split(' ');
    let (Some(method), Some(path), Some(_version)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let mut request = Request { method: method.into(), path: path.into(), host: None };
    for line in lines {
        let line = line?;
        if line.is_empty() {
            return Ok(Some(request));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            request.host = Some(value.trim().into());
        }
    }
    Ok(None)
}

/// Whether a `Host` header names this machine by a name that only it answers to.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _port)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _port)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn reply(stream: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    stream.flush()
}
