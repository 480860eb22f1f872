//! Event files, read back through TensorBoard's own interface.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tapeline_events::{Event, Observer, Outcome};
use tapeline_testkit::python_with;
use tapeline_tracking::{RunFile, TrackingSpec};

use crate::written_run::{WrittenRun, inside, loss, started, steps};

/// A real TensorBoard on loopback.
struct Server {
    port: u16,
    child: Child,
}

impl Server {
    fn start(folder: &Path) -> Option<Self> {
        let python = python_with(
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            &["tensorboard==2.21.0", "setuptools==80.9.0"],
        )?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(python)
            .args(["-m", "tensorboard.main", "--host", "127.0.0.1", "--load_fast", "false"])
            .args(["--port", &port.to_string(), "--samples_per_plugin", "scalars=10000", "--logdir"])
            .arg(folder)
            .env_remove("LD_LIBRARY_PATH")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = loop {
            if ureq::get(format!("http://127.0.0.1:{port}/data/environment")).call().is_ok() {
                break Self { port, child };
            }
            assert!(child.try_wait().unwrap().is_none(), "TensorBoard ended");
            std::thread::sleep(Duration::from_millis(100));
        };
        Some(server)
    }

    fn bytes(&self, call: &str) -> Vec<u8> {
        let url = format!("http://127.0.0.1:{}/data/{call}", self.port);
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let mut answer = config.new_agent().get(url).call().unwrap();
        let body = answer.body_mut().read_to_vec().unwrap();
        assert!(answer.status().is_success(), "{call}: {}", String::from_utf8_lossy(&body));
        body
    }

    fn text(&self, call: &str) -> String {
        String::from_utf8(self.bytes(call)).unwrap()
    }

    /// What it says once it has read everything that `is_there` asks for.
    fn says(&self, call: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3000 {
            let said = serde_json::from_str(&self.text(call)).unwrap();
            if is_there(&said) {
                return said;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{call} says {}", self.text(call));
    }

    fn ask(&self, call: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}/data/{call}", self.port);
        let request = ureq::post(url).header("Content-Type", "application/json");
        let text = request.send(body.to_string()).unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One red dot.
const PNG: [u8; 69] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63,
    0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0xc9, 0xfe, 0x92, 0xef, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

fn spec() -> TrackingSpec {
    serde_json::from_value(json!({ "tensorboard": {} })).unwrap()
}

#[test]
fn tensorboard_shows_what_was_written() {
    let run = WrittenRun::new("shown", "20260131-120000");
    let mut journal = run.journal();
    started(&mut journal);
    steps(&mut journal, 1..=40);
    journal.observe(&Event::RunEnded { step: 40, epoch: 1, outcome: Outcome::Interrupted });
    run.send_to(&spec());
    let folder = run.facts.folder.join("tensorboard");
    let [file] = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    // A kill in mid-write, and a process that goes on from the checkpoint at step 30.
    let mut torn = fs::read(&file).unwrap();
    torn.extend_from_slice(b"half an event");
    fs::write(&file, torn).unwrap();
    journal.observe(&Event::ResumedFrom { step: 30, epoch: 1 });
    steps(&mut journal, 31..=60);
    inside(&mut journal, 60);
    let metrics = BTreeMap::from([("validation/loss".to_owned(), Some(0.5))]);
    journal.observe(&Event::EpochEnded { epoch: 1, step: 60, metrics });
    journal.observe(&Event::RunEnded { step: 60, epoch: 1, outcome: Outcome::Completed });
    let add = |name: &str, bytes: &[u8]| {
        let path = run.facts.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        RunFile { name: name.into(), path }
    };
    let files = vec![
        add("images/regimes.png", &PNG),
        add("embedding/vectors.tsv", b"1.0\t2.0\n3.0\t4.0\n5.0\t6.0\n"),
        add("embedding/metadata.tsv", b"bull\nbear\nbull\n"),
    ];
    run.send_files_to(&spec(), files);

    let Some(server) = Server::start(&run.facts.folder) else { return };
    let scalars = "plugin/scalars/scalars?run=tensorboard&tag=step%2Floss";
    server.says("plugin/scalars/tags", |tags| tags["tensorboard"]["validation/loss"].is_object());
    let told = server.text(scalars).replace("\"NaN\"", "null");
    let points: Vec<(f64, u64, Option<f64>)> = serde_json::from_str(&told).unwrap();
    assert_eq!(points.iter().map(|point| point.1).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    for (_, step, value) in points {
        let expected = loss(step);
        assert!(
            value.map_or(expected.is_nan(), |value| value as f32 == expected as f32),
            "{step}: {value:?}"
        );
    }

    let stall: Value =
        serde_json::from_str(&server.text("plugin/scalars/scalars?run=tensorboard&tag=time%2Fstall_share"))
            .unwrap();
    assert!((stall[0][2].as_f64().unwrap() - 0.2).abs() < 1e-6, "{stall}");
    for (kind, low, high) in [("weights", -1.0, 2.0), ("gradients", 0.125, 0.125)] {
        let tag = format!("plugin/histograms/histograms?run=tensorboard&tag={kind}%2Fcnn.weight");
        let told = server.says(&tag, |told| !told.as_array().unwrap().is_empty());
        assert_eq!(told[0][1], 60, "{told}");
        let bins = told[0][2].as_array().unwrap();
        let figure = |bin: &Value, place: usize| bin[place].as_f64().unwrap();
        let counted: f64 = bins.iter().map(|bin| figure(bin, 2)).sum();
        assert!((counted - 4.0).abs() < 1e-6, "{told}");
        let filled: Vec<&Value> = bins.iter().filter(|bin| figure(bin, 2) > 0.01).collect();
        assert!(figure(filled[0], 0) <= low && figure(filled[filled.len() - 1], 1) >= high - 1e-6, "{told}");
    }

    let config = server.says("plugin/text/text?run=tensorboard&tag=config%2Ftext_summary", |text| {
        !text.as_array().unwrap().is_empty()
    });
    assert!(config[0]["text"].as_str().unwrap().contains("log_return"), "{config}");
    let images = server
        .says("plugin/images/images?run=tensorboard&tag=images%2Fregimes&sample=0", |images| {
            !images.as_array().unwrap().is_empty()
        });
    let image = format!("plugin/images/individualImage?{}", images[0]["query"].as_str().unwrap());
    assert_eq!(server.bytes(&image), PNG);
    server.says("plugin/projector/runs", |runs| !runs.as_array().unwrap().is_empty());
    let projector =
        server.says("plugin/projector/info?run=tensorboard", |info| info["embeddings"].is_array());
    assert_eq!(projector["embeddings"][0]["tensorName"], "features", "{projector}");
    assert_eq!(
        server.text("plugin/projector/metadata?run=tensorboard&name=features").trim(),
        "bull\nbear\nbull"
    );

    let experiment = server.ask("plugin/hparams/experiment", &json!({}));
    let names: Vec<&str> = experiment["hparamInfos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|info| info["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"data.features"), "{experiment}");
    let groups = json!({ "startIndex": 0, "sliceSize": 10, "colParams": [], "allowedStatuses": ["STATUS_SUCCESS", "STATUS_RUNNING", "STATUS_UNKNOWN", "STATUS_FAILURE"] });
    let groups = server.ask("plugin/hparams/session_groups", &groups);
    assert_eq!(groups["sessionGroups"][0]["sessions"][0]["status"], "STATUS_SUCCESS", "{groups}");
}
