//! What a trial costs besides what it tries, and what it costs to open a study.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tapeline_hpo::{
    FloatDistribution, HpoError, NewTrial, Param, Storage, StorageOptions, Study, StudyOptions, Trial,
    TrialRandom, TrialState, open_storage,
};

use super::{Stopwatch, median, sampler};

/// Of the trials that are measured, these first ones fill caches and are left out.
const WARM_UP: usize = 2;
/// Trials that are measured.
const REPETITIONS: usize = 100;
/// How often a study is opened.
const OPENED: usize = 11;
/// The name of all studies here.
const NAME: &str = "s";

/// Milliseconds of ask + 10 floats + tell at a history of so many trials: the median of the wall time and, since systems count
/// it in ticks, the mean of this thread's CPU time; of storages outside the memory also the CPU time of opening a study and
/// reading its trials, the median; and seconds of whole studies in memory.
pub(super) fn overhead(samplers: &[&str], storages: &[&str]) -> Result<Value, Box<dyn Error>> {
    let mut results = Map::new();
    for storage in storages {
        for name in samplers {
            for length in [100, 1_000, 5_000] {
                let place = Place::new(storage)?;
                let key = format!("{}/{length}/{name}", storage.split(':').next().unwrap_or_default());
                results.insert(key, at(&place, name, length)?);
            }
        }
    }
    for name in samplers {
        for length in [1_000, 5_000] {
            let study = Study::minimize(NAME).boxed_sampler(sampler(name)?).create()?;
            let watch = Stopwatch::start();
            study.optimize(length, |trial| {
                let values =
                    (0..10).map(|axis| trial.suggest_float(&format!("x{axis}"), 0.0..=1.0).map(|x| x * x));
                values.sum::<Result<f64, HpoError>>()
            })?;
            let row = json!({"wall_s": watch.wall_ms() / 1e3, "cpu_s": watch.cpu_ms() / 1e3});
            results.insert(format!("whole/{length}/{name}"), row);
        }
    }
    Ok(json!({"results": results}))
}

/// Where a study is remembered; a file of it goes with it.
struct Place {
    url: Option<String>,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    fn new(storage: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match storage {
            "memory" => Self { url: None, _folder: None },
            "sqlite" => {
                let folder = tempfile::tempdir()?;
                let url = format!("sqlite:///{}", folder.path().join("study.db").display());
                Self { url: Some(url), _folder: Some(folder) }
            }
            url => {
                let storage = open_storage(url, &StorageOptions::default())?;
                if let Ok(record) = storage.study(NAME) {
                    storage.delete_study(record.id)?;
                }
                Self { url: Some(url.to_owned()), _folder: None }
            }
        })
    }

    fn options(&self, name: &str) -> Result<StudyOptions, Box<dyn Error>> {
        let options = Study::minimize(NAME).boxed_sampler(sampler(name)?);
        Ok(match &self.url {
            Some(url) => {
                options.storage(Arc::<dyn Storage>::from(open_storage(url, &StorageOptions::default())?))
            }
            None => options,
        })
    }
}

fn at(place: &Place, name: &str, length: usize) -> Result<Value, Box<dyn Error>> {
    let study = place.options(name)?.create()?;
    fill(&study, length)?;
    let mut wall = Vec::new();
    let mut watch = Stopwatch::start();
    for measured in 0..WARM_UP + REPETITIONS {
        if measured == WARM_UP {
            watch = Stopwatch::start();
        }
        let one = Instant::now();
        let mut trial = study.ask()?;
        let value = ten_floats(&mut trial)?;
        study.tell(trial, value)?;
        wall.push(one.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = watch.cpu_ms() / REPETITIONS as f64;
    let mut row = json!({"total": median(&wall[WARM_UP..]), "cpu": cpu, "first_total": wall[0]});
    if place.url.is_some() {
        let mut opening = Vec::new();
        for _ in 0..OPENED {
            let watch = Stopwatch::start();
            let trials = place.options(name)?.open()?.history()?.trials().len();
            assert_eq!(
                trials,
                length + WARM_UP + REPETITIONS,
                "the study that was made is the one that is read"
            );
            opening.push(watch.cpu_ms());
        }
        row["open"] = median(&opening).into();
    }
    Ok(row)
}

fn fill(study: &Study, length: usize) -> Result<(), HpoError> {
    let mut random = TrialRandom::of(1, 1);
    for _ in 0..length {
        let params: BTreeMap<String, Param> = (0..10)
            .map(|axis| {
                let distribution = FloatDistribution::new(0.0, 1.0).into();
                (format!("x{axis}"), Param { distribution, value: random.unit() })
            })
            .collect();
        let value = params.values().map(|param| param.value).sum();
        study.add(&NewTrial {
            values: Some(vec![value]),
            params,
            ..NewTrial::in_state(TrialState::Complete)
        })?;
    }
    Ok(())
}

fn ten_floats(trial: &mut Trial) -> Result<f64, HpoError> {
    (0..10).map(|axis| trial.suggest_float(&format!("x{axis}"), 0.0..=1.0)).sum()
}
