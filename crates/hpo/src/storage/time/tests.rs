use super::read_time;
use crate::Timestamp;

#[test]
fn times_are_read_as_optuna_reads_them() {
    // `datetime.datetime(2026, 11, 22, 19, 16, 40, 61760, datetime.UTC).timestamp()`
    let time = Timestamp(1_795_375_000_061_760);
    for text in [
        "2026-11-22 19:16:40.061760",
        "2026-11-22T19:16:40.061760",
        "2026-11-22 19:16:40.061760+00:00",
        "2026-11-22 21:16:40.061760+02:00",
        "2026-11-22 19:16:40.061760123",
    ] {
        assert_eq!(read_time(text, "datetime_start"), Ok(time), "{text}");
    }
    assert_eq!(read_time("2026-11-22 19:16:40", "datetime_start"), Ok(Timestamp(time.0 - 61_760)));
    let fault = read_time("yesterday", "datetime_start").unwrap_err();
    assert!(fault.contains("datetime_start is \"yesterday\""), "{fault}");
}
