use cargo_metadata::DependencyKind::{self, Build, Development, Normal};

use super::{Breach, Graph, breaches};

/// Ours with their direct dependencies; what is not a development dependency is also built.
fn graph(ours: &[(&str, &[(&str, DependencyKind)])], outside: &[(&str, &[&str])]) -> Graph {
    let mut graph = Graph::default();
    for (package, dependencies) in ours {
        let named = dependencies.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
        graph.ours.insert((*package).to_owned(), named.collect());
        let built = dependencies.iter().filter(|(_, kind)| *kind != Development);
        graph.built_from.insert((*package).to_owned(), built.map(|(name, _)| (*name).to_owned()).collect());
    }
    for (package, dependencies) in outside {
        let names = dependencies.iter().map(|name| (*name).to_owned());
        graph.built_from.insert((*package).to_owned(), names.collect());
    }
    graph
}

fn upward(package: &str, uses: &str) -> Breach {
    Breach::Upward { package: package.to_owned(), uses: uses.to_owned() }
}

#[test]
fn the_designed_edges_pass() {
    let graph = graph(
        &[
            ("tapeline-models", &[("tapeline-torch-ext", Normal), ("tapeline-testkit", Development)]),
            ("tapeline-torch-ext", &[("tch", Normal)]),
            ("tapeline-data-pipeline", &[("arrow", Normal)]),
            ("tapeline-testkit", &[]),
            ("tapeline", &[("tapeline-models", Normal), ("tokio", Normal)]),
        ],
        &[("tch", &["torch-sys"])],
    );
    assert_eq!(breaches(&graph), []);
}

#[test]
fn a_wrong_edge_is_reported_whatever_its_kind() {
    for kind in [Normal, Build, Development] {
        let graph =
            graph(&[("tapeline-evaluation", &[("tapeline-events", kind)]), ("tapeline-events", &[])], &[]);
        assert_eq!(breaches(&graph), [upward("tapeline-evaluation", "tapeline-events")]);
    }
}

#[test]
fn nothing_depends_on_the_binary() {
    let graph = graph(&[("tapeline", &[]), ("tapeline-trainer", &[("tapeline", Normal)])], &[]);
    assert_eq!(breaches(&graph), [upward("tapeline-trainer", "tapeline")]);
}

#[test]
fn the_test_kit_does_not_ship() {
    let graph =
        graph(&[("tapeline-trainer", &[("tapeline-testkit", Normal)]), ("tapeline-testkit", &[])], &[]);
    assert_eq!(breaches(&graph), [Breach::TestsOnly { package: "tapeline-trainer".to_owned() }]);
}

#[test]
fn libtorch_does_not_come_in_by_a_side_door() {
    let graph = graph(
        &[("tapeline-data-pipeline", &[("charts", Normal)])],
        &[("charts", &["plots"]), ("plots", &["torch-sys"])],
    );
    let found = breaches(&graph);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].to_string().starts_with("tapeline-data-pipeline -> charts -> plots -> torch-sys: "),
        "{}",
        found[0]
    );
}

#[test]
fn what_only_tests_use_is_free() {
    let graph = graph(&[("tapeline-events", &[("criterion", Development)])], &[("criterion", &["clap"])]);
    assert_eq!(breaches(&graph), []);
}

#[test]
fn a_package_without_a_row_is_refused() {
    let graph = graph(&[("tapeline-misc", &[])], &[]);
    assert_eq!(breaches(&graph), [Breach::Unlisted { package: "tapeline-misc".to_owned() }]);
}

#[test]
fn rings_among_outside_packages_end() {
    let graph = graph(&[("tapeline-events", &[("one", Normal)])], &[("one", &["two"]), ("two", &["one"])]);
    assert_eq!(breaches(&graph), []);
}
