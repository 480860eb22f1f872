use super::age;
use tapeline_testkit::PostgresServer;

/// How old, in seconds, a beat given at `beat` is at `now`, in a session of that zone.
fn age_of(client: &mut postgres::Client, zone: &str, beat: &str, now: &str) -> f64 {
    client.batch_execute(&format!("SET TimeZone = '{zone}'")).unwrap();
    // Written as `write::beat` writes it.
    let sql = format!(
        "SELECT ({})::float8 FROM (SELECT timestamptz '{beat}'::timestamp AS heartbeat) h",
        age(&format!("timestamptz '{now}'"))
    );
    client.query_one(&sql, &[]).unwrap().get(0)
}

#[test]
fn clocks_that_are_changed_age_no_beat() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut client = postgres::Client::connect(&server.database(), postgres::NoTls).unwrap();
    for zone in ["Europe/Berlin", "UTC", "America/New_York"] {
        // In Berlin clocks go from 02:00 to 03:00 at one in UTC.
        let spring = age_of(&mut client, zone, "2026-03-29 00:59:59+00", "2026-03-29 01:00:01+00");
        assert_eq!(spring, 2.0, "{zone}");
        let after = age_of(&mut client, zone, "2026-03-29 01:30:00+00", "2026-03-29 01:30:05+00");
        assert_eq!(after, 5.0, "{zone}");
        // And from 03:00 to 02:00: the hour before comes twice.
        let autumn = age_of(&mut client, zone, "2026-10-25 00:59:59+00", "2026-10-25 01:00:01+00");
        assert!(autumn <= 2.0, "{zone}: {autumn}");
        let later = age_of(&mut client, zone, "2026-10-25 01:30:00+00", "2026-10-25 01:30:05+00");
        assert_eq!(later, 5.0, "{zone}");
        let dead = age_of(&mut client, zone, "2026-10-25 00:30:00+00", "2026-10-25 03:00:00+00");
        assert!(dead > 3600.0, "{zone}: {dead}");
    }
}
