//! What is served, and to whom.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use tapeline_events::{Event, StepTimes};

use super::*;
use crate::progress::Plan;

fn board() -> Board {
    let plan = Plan { steps_per_epoch: 10, num_epochs: 2, steps: 20, train_samples: 320 };
    let mut board = Board::new("a \"run\"".into(), plan);
    board.hear(&Event::EpochStarted { epoch: 1, step: 0 }, Duration::ZERO);
    let losses = [("price_prediction".to_owned(), f64::NAN)].into();
    let step = Event::Step {
        step: 5,
        epoch: 1,
        learning_rate: 1e-3,
        gradient_norm: f64::INFINITY,
        loss: 0.5,
        losses,
        loss_scale: Some(65536.0),
        skipped: false,
    };
    board.hear(&step, Duration::from_secs(5));
    let times = StepTimes { steps: 10, data: 1.0, forward: 3.0, backward: 4.0, update: 1.0, wait: 1.0 };
    board.hear(&Event::StepTimes { step: 5, epoch: 1, times }, Duration::from_secs(5));
    board.hear(&Event::System { figures: [("system/cpu".to_owned(), 12.5)].into() }, Duration::from_secs(5));
    let metrics = [("validation/loss".to_owned(), Some(0.25)), ("validation/none".to_owned(), None)].into();
    board.hear(&Event::EpochEnded { epoch: 1, step: 10, metrics }, Duration::from_secs(10));
    board
}

#[test]
fn figures_are_in_the_text_format() {
    let text = text::render(&board());
    for line in [
        "# TYPE tapeline_steps_total counter",
        r#"tapeline_steps_total{run="a \"run\""} 10"#,
        r#"tapeline_task_loss{run="a \"run\"",task="price_prediction"} NaN"#,
        r#"tapeline_gradient_norm{run="a \"run\""} +Inf"#,
        r#"tapeline_metric{run="a \"run\"",name="validation/loss"} 0.25"#,
        r#"tapeline_samples_per_second{run="a \"run\""} 32"#,
        r#"tapeline_remaining_seconds{run="a \"run\""} 10"#,
        r#"tapeline_step_stage_seconds{run="a \"run\"",stage="forward"} 0.3"#,
        r#"tapeline_stall_share{run="a \"run\""} 0.2"#,
        r#"tapeline_system_cpu{run="a \"run\""} 12.5"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("validation/none"), "what is undefined is absent");
    // Each family is told of once, before its figures.
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let mut unique = heads.clone();
    unique.dedup();
    assert_eq!(heads, unique);
}

fn serve(remote: bool) -> Scrape {
    let address = Some("127.0.0.1:0".parse().unwrap());
    let arguments = ScrapeArguments { metrics_listen: address, metrics_allow_remote: remote };
    arguments.start(Arc::new(Mutex::new(board()))).unwrap().unwrap()
}

fn ask(server: &Scrape, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn figures_are_served_to_this_machine() {
    let server = serve(false);
    for host in ["localhost:9464", "127.0.0.1", "[::1]:9464", "LOCALHOST"] {
        let answer = ask(&server, &format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{host}: {head}");
        assert_eq!(body, text::render(&board()));
    }
    for request in [
        "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n\r\n",
    ] {
        assert!(ask(&server, request).starts_with("HTTP/1.1 403"), "{request}");
    }
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
        ("", "400"),
    ] {
        assert!(ask(&server, request).starts_with(&format!("HTTP/1.1 {status}")), "{request:?}");
    }
}

#[test]
fn others_are_served_when_told_and_only_then() {
    let server = serve(true);
    assert!(ask(&server, "GET /metrics HTTP/1.1\r\nHost: box.example\r\n\r\n").starts_with("HTTP/1.1 200"));
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464"] {
        let arguments =
            ScrapeArguments { metrics_listen: Some(address.parse().unwrap()), metrics_allow_remote: false };
        let refused = arguments.start(Arc::new(Mutex::new(board()))).err().unwrap();
        assert!(format!("{refused:?}").contains("--metrics-allow-remote"), "{refused:?}");
    }
}
