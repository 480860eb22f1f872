//! The page loads nothing, escapes everything, is balanced, and says what is undefined.

use tapeline_events::{Event, Record};
use tapeline_trainer::{Estimate, Scorecard};

use super::*;

fn page(records: &[Record], scorecards: &[Scorecard]) -> String {
    render(&ReportInput {
        title: "planted",
        run_id: sample::RUN,
        config_yaml: sample::CONFIG,
        lineage: &sample::lineage(),
        records,
        scorecards,
        test_openings: 1,
        fingerprint: "9f2c",
    })
}

fn full_page() -> String {
    page(&sample::records(), &[sample::scorecard("validation"), sample::scorecard("test")])
}

/// The tags of `page` in order, without the text between them: `(name, closes, attributes)`.
fn tags(page: &str) -> Vec<(&str, bool, &str)> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let inside = &rest[start + 1..end];
        let closes = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        tags.push((name, closes, attributes));
        rest = &rest[end + 1..];
    }
    tags
}

/// Panics unless every tag is closed in order. `meta` and the doctype have no end.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for (name, closes, _) in tags(page) {
        if matches!(name, "meta" | "!doctype") {
            continue;
        }
        if closes {
            assert_eq!(open.pop(), Some(name), "{name} closes something else");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn the_page_is_balanced() {
    assert_balanced(&full_page());
}

#[test]
fn the_page_loads_nothing() {
    let page = full_page();
    for (name, _, attributes) in tags(&page) {
        assert!(
            !matches!(name, "script" | "link" | "img" | "iframe" | "object" | "embed" | "image" | "use"),
            "{name}"
        );
        for loads in ["src=", "href=", "srcset=", "style=\"background", "onload", "onclick"] {
            assert!(!attributes.contains(loads), "{name} {attributes}");
        }
    }
    for loads in ["url(", "@import", "@font-face", "http://", "https://"] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn hostile_text_stays_text() {
    const HOSTILE: &str =
        "</code></pre><script>alert('x')</script><img src=x onerror=\"y\">&amp;\u{0}\u{1b}[31m";
    let mut records = sample::records();
    records[1].event = Event::Warning { message: HOSTILE.into() };
    let mut scorecard = sample::scorecard(HOSTILE);
    scorecard.from = HOSTILE.into();
    scorecard.price[0].per_symbol[0].0 = HOSTILE.into();
    scorecard.price[0].baselines[3].name = HOSTILE.into();
    scorecard.regime[0].classes[0] = HOSTILE.into();
    let page = render(&ReportInput {
        title: HOSTILE,
        run_id: HOSTILE,
        config_yaml: HOSTILE,
        lineage: &serde_json::json!({ HOSTILE: HOSTILE, "lineage": { "device": HOSTILE } }),
        records: &records,
        scorecards: &[scorecard],
        test_openings: 0,
        fingerprint: HOSTILE,
    });
    assert_balanced(&page);
    assert!(
        !page.contains("<script") && !page.contains("<img") && !page.contains("onerror=\""),
        "markup came through"
    );
    assert!(!page.contains('\u{0}') && !page.contains('\u{1b}'), "control characters came through");
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    assert!(page.contains("&amp;amp;"), "an ampersand is escaped even if it looks escaped");
}

#[test]
fn undefined_is_said_and_an_interval_over_zero_too() {
    let mut scorecard = sample::scorecard("test");
    scorecard.volatility.clear();
    scorecard.regime.clear();
    scorecard.price.truncate(1);
    let price = &mut scorecard.price[0];
    price.ic_series = Estimate { value: Some(0.01), low: Some(-0.02), high: Some(0.04) };
    price.rank_ic_series = Estimate::default();
    price.r2_zero = None;
    let page = page(&sample::records(), &[scorecard]);
    assert!(page.contains("−0.020 to +0.040<span class=\"verdict caution\">covers 0</span>"));
    assert!(page.contains("<td class=\"number undefined\">undefined</td>"));
    assert!(page.contains("no interval"));
}

#[test]
fn the_openings_of_the_test_span_are_counted_in_words() {
    let records = sample::records();
    for (test_openings, words) in [(0, "never opened"), (1, "opened once"), (3, "opened 3 times")] {
        let page = render(&ReportInput {
            title: "t",
            run_id: "r",
            config_yaml: "",
            lineage: &serde_json::Value::Null,
            records: &records,
            scorecards: &[],
            test_openings,
            fingerprint: "f",
        });
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_run_that_hardly_began_has_a_page_too() {
    for records in [&[][..], &sample::records()[..1], &sample::records()[..4]] {
        let page = page(records, &[]);
        assert_balanced(&page);
        assert!(page.contains("not finished") && page.contains("No span has been scored yet"));
    }
}

#[test]
fn what_a_resumed_run_took_back_is_not_drawn() {
    let whole = sample::records();
    let mut killed = whole[..900].to_vec();
    let after = whole.iter().filter(|record| record.event.step().is_some_and(|step| step > 480));
    let resumed = std::iter::once(Event::ResumedFrom { step: 480, epoch: 5 })
        .chain(after.map(|record| record.event.clone()));
    killed.extend(resumed.zip(900..).map(|(event, seq)| Record { seq, event, ..whole[0].clone() }));
    let drawing = |records: &[Record]| {
        let page = page(records, &[]);
        let start = page.find("<h2>Training").unwrap();
        page[start..].split("</section>").next().unwrap().to_owned()
    };
    assert_eq!(drawing(&whole), drawing(&killed));
}

#[test]
fn numbers_that_are_not_finite_never_reach_a_drawing() {
    let mut records = sample::records();
    for record in &mut records {
        if let Event::Step { loss, gradient_norm, .. } = &mut record.event {
            (*loss, *gradient_norm) = (f64::INFINITY, f64::NAN);
        }
    }
    let mut scorecard = sample::scorecard("test");
    scorecard.price[0].pairs = vec![(f32::NAN, 0.0), (0.0, f32::INFINITY), (1e-4, 2e-4)];
    scorecard.price[1].pairs = vec![];
    scorecard.price[2].ic_series = Estimate { value: Some(f64::NAN), low: None, high: None };
    let page = page(&records, &[scorecard]);
    assert_balanced(&page);
    for (_, _, attributes) in tags(&page) {
        assert!(!attributes.contains("NaN") && !attributes.contains("inf"), "{attributes}");
    }
    assert!(page.contains("whose loss was not finite"));
}

#[test]
fn targets_stand_beside_the_key_numbers_as_they_were_checked_last() {
    use tapeline_events::TargetVerdict::{Met, Missed, NotScored};
    let checked = |value, verdict| {
        let target = |metric: &str, value, verdict| tapeline_events::TargetOutcome {
            metric: metric.into(),
            min: Some(0.02),
            max: None,
            value,
            verdict,
        };
        let open = target("test/<b>", None, NotScored);
        let targets = vec![target("validation/price_prediction/h1/rank_ic_series", value, verdict), open];
        Record { event: Event::TargetsChecked { targets }, ..sample::records().remove(0) }
    };
    let mut records = sample::records();
    assert!(!page(&records, &[]).contains("Targets"));
    records.push(checked(Some(0.01), Missed));
    records.push(checked(Some(0.0312), Met));
    let page = page(&records, &[]);
    assert_balanced(&page);
    for words in ["Targets", "0.03120", "≥ 0.02000", "not scored yet", "test/&lt;b&gt;", ">met<"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains(">missed<"), "an older verdict is shown");
}
