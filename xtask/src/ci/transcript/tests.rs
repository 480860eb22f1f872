use std::process::Command;

use super::{Tally, is_worth_reading, run};

#[test]
fn progress_and_passing_tests_are_dropped() {
    for line in [
        "",
        "   Compiling serde v1.0.229",
        "    Finished `dev` profile [optimized] target(s) in 0.1s",
        "running 12 tests",
        "running 1 test",
        "test window::tests::ends_before_the_decision ... ok",
    ] {
        assert!(!is_worth_reading(line), "{line}");
    }
}

#[test]
fn what_went_wrong_and_closing_lines_are_kept() {
    for line in [
        "warning: unused variable: `x`",
        "error[E0308]: mismatched types",
        "  --> crates/x/src/lib.rs:3:5",
        "test purge ... FAILED",
        "     Running unittests src/lib.rs (target/debug/deps/x-0123)",
        "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "Compiling a table by hand is no progress line",
    ] {
        assert!(is_worth_reading(line), "{line}");
    }
}

#[test]
fn closing_lines_are_added_up() {
    let mut tally = Tally::default();
    tally.add(
        "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s",
    );
    tally.add(
        "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    );
    tally.add("a test result: ok. 100 passed");
    assert_eq!(tally, Tally { passed: 14, failed: 1, ignored: 1, binaries: 2 });
}

#[test]
fn both_streams_are_heard_in_order_to_the_end() {
    let mut heard = Vec::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo one; echo two >&2; echo three; exit 3"]);
    let status = run(&mut shell, |line| heard.push(line.to_owned())).unwrap();
    assert_eq!(heard, ["one", "two", "three"]);
    assert_eq!(status.code(), Some(3));
}
