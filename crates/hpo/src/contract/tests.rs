//! All members pass.

use super::sampler::{Member, space};
use super::{pruner, sampler};
use crate::pruner::PrunerSpec;
use crate::{
    CmaEsSampler, GridSpec, Kernels, Nsga2Spec, QmcSampler, QmcSpec, RandomSampler, Sampler, TpeSampler,
};

fn check(make: impl Fn() -> Box<dyn Sampler>, several_objectives: bool) {
    sampler::check(&Member { make: &make, several_objectives, any_parameters: true, seeded: true });
}

#[test]
fn random() {
    check(|| Box::new(RandomSampler), true);
}

#[test]
fn tpe() {
    for kernels in [Kernels::Auto, Kernels::Joint, Kernels::Groups, Kernels::Single] {
        check(|| Box::new(TpeSampler::with_kernels(kernels)), true);
        check(|| Box::new(TpeSampler::with_kernels(kernels)), false);
    }
}

#[test]
fn cma_es() {
    check(|| Box::new(CmaEsSampler::default()), false);
}

#[test]
fn nsga2() {
    check(|| Box::new(Nsga2Spec { population: 10, ..Nsga2Spec::default() }.check().unwrap()), true);
    check(
        || {
            Box::new(
                Nsga2Spec { population: 2, mutation: Some(1.0), ..Nsga2Spec::default() }.check().unwrap(),
            )
        },
        true,
    );
}

#[test]
fn qmc() {
    check(|| Box::new(QmcSampler::default()), true);
    check(|| Box::new(QmcSampler::new(QmcSpec { scramble: true }, Some(space()))), true);
    let bare =
        || -> Box<dyn Sampler> { Box::new(QmcSampler::new(QmcSpec { scramble: false }, Some(space()))) };
    sampler::check(&Member { make: &bare, several_objectives: true, any_parameters: true, seeded: true });
}

#[test]
fn grid() {
    let mut values = std::collections::BTreeMap::new();
    for (name, distribution) in space() {
        let some = match name.as_str() {
            "batch" => vec![1.into(), 8.into(), 64.into()],
            "kind" => vec![crate::Choice::Null, "a".into()],
            "layers" => vec![2.into(), 11.into()],
            "one" => vec![7.into()],
            "rate" => vec![1e-5.into(), 1e-3.into()],
            "share" => vec![(-0.25).into(), 0.5.into()],
            _ => vec![0.into()],
        };
        assert!(some.iter().all(|value| distribution.internal(value).is_some()));
        values.insert(name, some);
    }
    let spec = GridSpec { values: Some(values) };
    let make = || -> Box<dyn Sampler> { Box::new(spec.check(&space()).unwrap()) };
    sampler::check(&Member { make: &make, several_objectives: true, any_parameters: false, seeded: false });
}

#[test]
fn pruners() {
    for spec in [
        r#"{"kind":"nop"}"#,
        r#"{"kind":"median"}"#,
        r#"{"kind":"median","startup_trials":0,"warmup_steps":3,"interval":7}"#,
        r#"{"kind":"percentile","percentile":0}"#,
        r#"{"kind":"percentile","percentile":100,"startup_trials":1}"#,
        r#"{"kind":"successive_halving"}"#,
        r#"{"kind":"successive_halving","min_resource":1,"reduction_factor":2,"skipped_rungs":40}"#,
        r#"{"kind":"hyperband"}"#,
        r#"{"kind":"hyperband","max_resource":1099511627776,"reduction_factor":2}"#,
        r#"{"kind":"hyperband","reduction_factor":4294967295}"#,
        r#"{"kind":"wilcoxon"}"#,
        r#"{"kind":"wilcoxon","p_threshold":1,"startup_steps":0}"#,
        r#"{"kind":"patient","patience":0}"#,
        r#"{"kind":"patient","patience":2,"wrapped":{"kind":"hyperband"}}"#,
        r#"{"kind":"threshold","lower":0.0}"#,
    ] {
        let spec: PrunerSpec = serde_json::from_str(spec).unwrap();
        pruner::check(spec.check().unwrap().as_ref());
    }
}
