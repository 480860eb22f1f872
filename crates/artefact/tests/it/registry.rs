//! A version never changes, a number is never given twice, and an alias moves only to what was proved.

use std::fs;
use std::path::{Path, PathBuf};

use tapeline_artefact::{
    AliasCommand, Entry, Evidence, FolderError, Obstacle, Promotion, Registry, RegistryError, Signature,
    TargetVerdict, Verdict, predict,
};
use tapeline_data_pipeline::Split;
use tapeline_data_pipeline::leak::{self, Leak, LeakCertificate, Leaked};
use tch::Device;
use tempfile::TempDir;

use crate::small_extractor::{SmallExtractor, bars, data_spec, labels};

/// A registry, and an artefact with the certificate that belongs to it.
struct Fixture {
    parent: TempDir,
    small: SmallExtractor,
    artefact: PathBuf,
    certificate: LeakCertificate,
}

impl Fixture {
    fn new() -> Self {
        let mut small = SmallExtractor::new();
        small.description.lineage = serde_json::json!({ "data": small.data.fingerprint() });
        let parent = tempfile::tempdir().unwrap();
        let artefact = small.save(parent.path()).unwrap();
        Self { parent, small, artefact, certificate: certificate(3) }
    }

    fn root(&self) -> PathBuf {
        self.parent.path().join("registry")
    }

    fn registry(&self) -> Registry {
        Registry::create(self.root()).unwrap()
    }

    fn proved(&self) -> Evidence {
        Evidence { leak_certificate: Some(self.certificate.clone()), ..Evidence::default() }
    }

    fn add(&self, evidence: Evidence) -> Entry {
        self.registry().add("hybrid", &self.artefact, evidence, &signature()).unwrap()
    }

    fn promote(&self, version: u32) -> Result<Promotion, RegistryError> {
        self.registry().promote("hybrid", version, "champion", &signature(), None)
    }

    fn champion(&self) -> u32 {
        self.registry().version("hybrid", "champion").unwrap()
    }

    /// What stands between the next version and `champion` if this is known of it.
    fn obstacles(&self, evidence: Evidence) -> Vec<Obstacle> {
        let version = self.add(evidence).version;
        match self.promote(version) {
            Err(RegistryError::Refused { obstacles, version: named, .. }) if named == version => obstacles,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join("hybrid").join(name)
    }
}

/// Of the small extractor's way from bars to windows, on the market of this seed.
fn certificate(market: u64) -> LeakCertificate {
    let mut spec = data_spec();
    spec.source.synthetic.as_mut().unwrap().seed = market;
    leak::check(&spec.check().unwrap(), &bars(&spec), &labels(), 2, 0).unwrap()
}

fn signature() -> Signature {
    Signature { at: "2026-01-31T00:00:00Z".into(), by: "someone@somewhere".into() }
}

fn target(verdict: Verdict, value: Option<f64>) -> TargetVerdict {
    TargetVerdict { metric: "validation/loss".into(), min: None, max: Some(1.0), value, verdict }
}

fn turn_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_an_alias_stands_for_says_what_was_registered() {
    let fixture = Fixture::new();
    let entry = fixture.add(fixture.proved());
    assert_eq!((entry.model.as_str(), entry.version), ("hybrid", 1));
    assert_eq!(fixture.registry().entry("hybrid", 1).unwrap(), entry);
    assert!(matches!(fixture.promote(1).unwrap(), Promotion::Moved(_)));
    assert_eq!(fixture.promote(1).unwrap(), Promotion::AlreadyThere);

    fs::remove_dir_all(&fixture.artefact).unwrap();
    let registry = Registry::open(fixture.root()).unwrap();
    let extractor = registry.resolve("hybrid", "champion").unwrap();
    assert_eq!(extractor.id(), entry.artefact);
    assert_eq!(registry.resolve("hybrid", "1").unwrap().id(), entry.artefact);
    let (small, samples) = (&fixture.small, fixture.small.data.samples(Split::Test));
    let said = extractor.predict(&small.data, samples, 64).unwrap();
    assert_eq!(said, predict(small.network.as_ref(), &small.data, samples, 64, Device::Cpu).unwrap());
}

#[test]
fn a_version_without_a_certificate_is_not_promoted() {
    let fixture = Fixture::new();
    assert_eq!(fixture.obstacles(Evidence::default()), [Obstacle::NoCertificate]);
    assert!(!fixture.file("aliases.json").exists());
}

#[test]
fn a_certificate_speaks_of_its_own_bars_and_figures_only() {
    let fixture = Fixture::new();
    let other = certificate(4);
    let evidence = Evidence { leak_certificate: Some(other.clone()), ..Evidence::default() };
    let artefact = Some(fixture.certificate.subject.clone());
    assert_eq!(
        fixture.obstacles(evidence),
        [Obstacle::CertifiedOther { certified: other.subject, artefact }]
    );
}

#[test]
fn an_artefact_that_does_not_say_its_bars_cannot_be_certified() {
    let mut fixture = Fixture::new();
    fs::remove_dir_all(&fixture.artefact).unwrap();
    fixture.small.description.lineage = serde_json::Value::Null;
    fixture.small.save(fixture.parent.path()).unwrap();
    let obstacles = fixture.obstacles(fixture.proved());
    assert!(matches!(&obstacles[..], [Obstacle::CertifiedOther { artefact: None, .. }]), "{obstacles:?}");
}

#[test]
fn everything_that_stands_in_the_way_is_said_at_once() {
    let fixture = Fixture::new();
    let mut certificate = fixture.certificate.clone();
    let decision = certificate.split.last_train_decision;
    let (tampering, symbol, timeframe, channel) = (None, None, None, None);
    certificate.leaks =
        vec![Leak { what: Leaked::UnavailableRow, tampering, decision, symbol, timeframe, channel }];
    certificate.probes.clear();
    let (missed, undefined) = (target(Verdict::Missed, Some(2.0)), target(Verdict::Undefined, None));
    let unscored = target(Verdict::NotScored, None);
    let targets = vec![target(Verdict::Met, Some(0.5)), missed.clone(), undefined.clone(), unscored.clone()];
    let evidence = Evidence { leak_certificate: Some(certificate), targets, ..Evidence::default() };
    let obstacles = fixture.obstacles(evidence);
    let [Obstacle::NothingProbed, Obstacle::Leaks { count: 1, .. }, targets @ ..] = &obstacles[..] else {
        panic!("{obstacles:?}");
    };
    assert_eq!(targets, [missed, undefined, unscored].map(Obstacle::Target));
    let said = targets.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        said,
        [
            "validation/loss is 2 and should be at most 1",
            "validation/loss is undefined and should be at most 1",
            "validation/loss is not scored yet and should be at most 1"
        ]
    );
}

#[test]
fn force_is_recorded_with_its_reason_and_what_it_overrode() {
    let fixture = Fixture::new();
    fixture.add(Evidence::default());
    fixture.add(fixture.proved());
    let registry = fixture.registry();
    let promote = |version, reason| registry.promote("hybrid", version, "champion", &signature(), reason);
    assert!(matches!(promote(1, Some(" ")), Err(RegistryError::NoReason)));
    let Promotion::Moved(change) = promote(1, Some("a try")).unwrap() else { panic!("not moved") };
    let forced = change.forced.as_ref().unwrap();
    assert_eq!(forced.reason, "a try");
    assert!(forced.obstacles[0].contains("no leak certificate"), "{forced:?}");
    // Where nothing stands in the way, nothing is overridden.
    let Promotion::Moved(proved) = promote(2, Some("out of habit")).unwrap() else { panic!("not moved") };
    assert_eq!(proved.forced, None);
    assert_eq!(registry.aliases("hybrid").unwrap().history(), [change, proved]);
}

#[test]
fn a_damaged_version_is_named_and_refused_force_or_not() {
    let fixture = Fixture::new();
    fixture.add(fixture.proved());
    fixture.add(fixture.proved());
    let registry = fixture.registry();
    for file in ["weights.safetensors", "entry.json"] {
        let path = fixture.file("2").join(file);
        let whole = fs::read(&path).unwrap();
        turn_a_bit(&path);
        let refused = registry.promote("hybrid", 2, "champion", &signature(), Some("it must be"));
        match refused.unwrap_err() {
            RegistryError::Unusable { version: 2, source, .. } => {
                let tapeline_artefact::ArtefactError::Folder(FolderError::Damaged { path: named, .. }) =
                    *source
                else {
                    panic!("{source}");
                };
                assert_eq!(named, path);
            }
            other => panic!("{other}"),
        }
        assert!(matches!(registry.entry("hybrid", 2), Err(RegistryError::Unusable { version: 2, .. })));
        fs::write(&path, whole).unwrap();
    }
    assert!(matches!(fixture.promote(1).unwrap(), Promotion::Moved(_)));
    turn_a_bit(&fixture.artefact.join("artefact.json"));
    let refused = registry.add("hybrid", &fixture.artefact, Evidence::default(), &signature());
    assert!(matches!(refused, Err(RegistryError::Artefact { .. })), "{refused:?}");
    assert_eq!(registry.versions("hybrid").unwrap(), [1, 2]);
}

#[test]
fn each_rollback_goes_back_by_one_promotion() {
    let fixture = Fixture::new();
    for version in 1..=3 {
        fixture.add(fixture.proved());
        fixture.promote(version).unwrap();
    }
    let registry = fixture.registry();
    let rollback = || registry.rollback("hybrid", "champion", &signature());
    for expected in [2, 1] {
        let change = rollback().unwrap();
        assert_eq!((change.to, change.command), (expected, AliasCommand::Rollback));
        assert_eq!(fixture.champion(), expected);
    }
    let refused = rollback();
    assert!(matches!(refused, Err(RegistryError::NothingBefore { version: 1, .. })), "{refused:?}");
    // What was taken back is not gone back to.
    fixture.promote(3).unwrap();
    assert_eq!(rollback().unwrap().to, 1);
    assert_eq!(registry.aliases("hybrid").unwrap().history().len(), 7);
    let nobody = registry.rollback("hybrid", "challenger", &signature());
    assert!(matches!(nobody, Err(RegistryError::NoAlias { .. })), "{nobody:?}");
}

#[test]
fn a_rollback_to_a_damaged_version_is_refused() {
    let fixture = Fixture::new();
    for version in 1..=2 {
        fixture.add(fixture.proved());
        fixture.promote(version).unwrap();
    }
    turn_a_bit(&fixture.file("1/weights.safetensors"));
    let refused = fixture.registry().rollback("hybrid", "champion", &signature());
    assert!(matches!(refused, Err(RegistryError::Unusable { version: 1, .. })), "{refused:?}");
    assert_eq!(fixture.champion(), 2);
}

#[test]
fn a_number_is_never_given_twice() {
    let fixture = Fixture::new();
    fixture.add(fixture.proved());
    fixture.add(fixture.proved());
    fixture.promote(2).unwrap();
    fs::remove_dir_all(fixture.file("2")).unwrap();
    assert_eq!(fixture.add(fixture.proved()).version, 3);
    // The aliases remember what a lost file forgot.
    fs::remove_dir_all(fixture.file("3")).unwrap();
    fs::remove_file(fixture.file("last-version")).unwrap();
    assert_eq!(fixture.add(fixture.proved()).version, 3);
    fs::write(fixture.file("last-version"), "").unwrap();
    let refused = fixture.registry().add("hybrid", &fixture.artefact, Evidence::default(), &signature());
    assert!(matches!(refused, Err(RegistryError::LastVersion { .. })), "{refused:?}");
}

#[test]
fn many_at_once_get_a_number_each() {
    const ADDERS: u32 = 8;
    let fixture = Fixture::new();
    let (registry, artefact) = (fixture.registry(), &fixture.artefact);
    let add = || registry.add("hybrid", artefact, Evidence::default(), &signature()).unwrap().version;
    let mut given: Vec<u32> = std::thread::scope(|scope| {
        let adders: Vec<_> = (0..ADDERS).map(|_| scope.spawn(add)).collect();
        adders.into_iter().map(|adder| adder.join().unwrap()).collect()
    });
    given.sort_unstable();
    assert!(given.iter().copied().eq(1..=ADDERS), "{given:?}");
    assert_eq!(registry.versions("hybrid").unwrap(), given);
    assert!(given.iter().all(|&version| registry.load("hybrid", version).is_ok()));
}

#[test]
fn what_a_killed_registration_left_is_not_seen_and_goes() {
    let fixture = Fixture::new();
    fixture.add(fixture.proved());
    for leftover in [".2.incoming", "..2.incoming.partial"] {
        fs::create_dir(fixture.file(leftover)).unwrap();
        fs::write(fixture.file(leftover).join("weights.safetensors"), "half").unwrap();
    }
    assert_eq!(fixture.registry().versions("hybrid").unwrap(), [1]);
    assert_eq!(fixture.add(fixture.proved()).version, 2);
    let names = fs::read_dir(fixture.file("")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".lock", "1", "2", "last-version"]);
}

#[test]
fn a_torn_file_of_aliases_is_named_and_versions_are_still_there() {
    let fixture = Fixture::new();
    for version in 1..=2 {
        fixture.add(fixture.proved());
        fixture.promote(version).unwrap();
    }
    let path = fixture.file("aliases.json");
    let whole = fs::read_to_string(&path).unwrap();
    let registry = fixture.registry();
    let said = |text: &str| {
        fs::write(&path, text).unwrap();
        let Err(error) = registry.resolve("hybrid", "champion") else { panic!("{text} was believed") };
        assert!(registry.resolve("hybrid", "2").is_ok());
        error.to_string()
    };
    for text in ["", &whole[..whole.len() / 2]] {
        assert!(said(text).contains("aliases.json cannot be understood"));
    }
    let elsewhere = whole.replacen("\"champion\": 2", "\"champion\": 1", 1);
    assert!(said(&elsewhere).contains("champion does not point where its moves lead"));
    let out_of_nowhere = whole.replacen("\"from\": 1", "\"from\": 2", 1);
    assert!(said(&out_of_nowhere).contains("move 2 takes champion from where it was not"));
    assert!(said(&whole.replacen("\"layout\": 1", "\"layout\": 9", 1)).contains("layout 9"));
    fs::write(&path, &whole).unwrap();
    assert_eq!(fixture.champion(), 2);
}

#[test]
fn an_alias_moves_by_a_new_file_in_the_place_of_the_old_one() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        fixture.add(fixture.proved());
    }
    fixture.promote(1).unwrap();
    let (path, old) = (fixture.file("aliases.json"), fixture.parent.path().join("old"));
    // Another name of the old file: what is written into it shows here, what takes its place does not.
    fs::hard_link(&path, &old).unwrap();
    let before = fs::read(&path).unwrap();
    fixture.promote(2).unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read(&old).unwrap(), before, "the file was written in place");
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let fixture = Fixture::new();
    let missing = Registry::open(fixture.root()).unwrap_err().to_string();
    assert!(missing.contains("there is no registry at"), "{missing}");
    fixture.add(fixture.proved());
    fixture.promote(1).unwrap();
    let registry = fixture.registry();
    let said = |model: &str, reference: &str| registry.version(model, reference).unwrap_err().to_string();
    assert!(said("hybird", "champion").contains("it has hybrid"));
    assert!(said("hybrid", "7").contains("hybrid has no version 7; it has 1"));
    assert!(said("hybrid", "0").contains("no version 0"));
    assert!(said("hybrid", "challenger").contains("no alias \"challenger\"; it has champion"));
    assert!(said("../hybrid", "1").contains("cannot be the name of a model"));
    for alias in ["", "7", ".hidden", "a/b", "a b"] {
        let refused = registry.promote("hybrid", 1, alias, &signature(), None);
        assert!(matches!(refused, Err(RegistryError::Name { what: "alias", .. })), "{alias:?}: {refused:?}");
    }
    let refused = registry.add("a/b", &fixture.artefact, Evidence::default(), &signature());
    assert!(matches!(refused, Err(RegistryError::Name { what: "model", .. })), "{refused:?}");
}
