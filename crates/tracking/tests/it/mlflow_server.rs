//! A real MLflow server on loopback, in a Python that is set up for it once; it can be killed and started again.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tapeline_testkit::{output_of, python_with};
use tempfile::TempDir;

/// A server and its folder.
pub(crate) struct MlflowServer {
    python: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl MlflowServer {
    /// A new server with an empty database; `None`, with the reason printed, where no Python can be set up and nobody
    /// insists.
    pub(crate) fn start() -> Option<Self> {
        let python = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), &["mlflow==3.17.2"])?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { python, folder: tempfile::tempdir().unwrap(), port, child: None };
        server.start_again();
        Some(server)
    }

    /// Starts it on the same port with the same database, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new(&self.python);
        let port = self.port.to_string();
        command
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port, "--workers", "1"])
            .args(["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files"])
            .arg("--serve-artifacts")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            // Eight more processes that nobody here has work for.
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env_remove("LD_LIBRARY_PATH")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(fs::File::create(self.folder.path().join("out.log")).unwrap())
            .stderr(fs::File::create(self.folder.path().join("err.log")).unwrap())
            .process_group(0);
        let mut child = command.spawn().unwrap();
        while ureq::get(format!("{}/health", self.uri())).call().is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                let said = fs::read_to_string(self.folder.path().join("err.log")).unwrap();
                panic!("the server ended with {status}: {said}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.child = Some(child);
    }

    /// SIGKILL for it and all its workers.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let group = format!("-{}", child.id());
        let killed = Command::new("sh").args(["-c", "kill -s KILL -- \"$0\"", &group]).status();
        assert!(killed.unwrap().success());
        child.wait().unwrap();
    }

    /// Of a server that was killed.
    pub(crate) fn lose_database(&self) {
        fs::remove_file(self.folder.path().join("mlflow.db")).unwrap();
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `GET` below the tracking API.
    pub(crate) fn get(&self, call: &str) -> Value {
        let url = format!("{}/api/2.0/{call}", self.uri());
        let text = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// `POST` below the tracking API.
    pub(crate) fn post(&self, call: &str, body: &Value) -> Value {
        let url = format!("{}/api/2.0/{call}", self.uri());
        let request = ureq::post(url).header("Content-Type", "application/json");
        let text = request.send(body.to_string()).unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// All runs of the experiment of this name.
    pub(crate) fn runs(&self, experiment: &str) -> Vec<Value> {
        let found = self.get(&format!("mlflow/experiments/get-by-name?experiment_name={experiment}"));
        let id = &found["experiment"]["experiment_id"];
        let body = serde_json::json!({ "experiment_ids": [id], "order_by": ["attributes.start_time ASC"] });
        self.post("mlflow/runs/search", &body)["runs"].as_array().cloned().unwrap_or_default()
    }

    /// Every point of a metric: step, value as written, and time.
    pub(crate) fn history(&self, run_id: &str, key: &str) -> Vec<(u64, String, u64)> {
        let call = format!("mlflow/metrics/get-history?run_id={run_id}&metric_key={key}&max_results=10000");
        let points = self.get(&call)["metrics"].as_array().cloned().unwrap_or_default();
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0);
        let point = |point: &Value| {
            let value = point["value"].as_str().map_or_else(|| point["value"].to_string(), ToOwned::to_owned);
            (number(&point["step"]), value, number(&point["timestamp"]))
        };
        points.iter().map(point).collect()
    }

    /// Python with MLflow, talking to this server.
    pub(crate) fn python(&self, script: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.python);
        command
            .args(["-c", script])
            .args(arguments)
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_TRACKING_URI", self.uri());
        output_of(command.current_dir(self.folder.path()))
    }
}

impl Drop for MlflowServer {
    fn drop(&mut self) {
        self.kill();
    }
}
