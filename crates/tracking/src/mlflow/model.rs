//! The artefact as a model that `mlflow.pyfunc` loads, and its versions in the server's registry.
//!
//! The artefact holds weights and what the network is; `code/tapeline_network.py` computes the same in NumPy. Nothing is
//! pickled, and nothing but NumPy is needed where it is loaded.

use serde_json::json;

use super::client::Client;
use super::place::Place;
use super::spec::MlflowSpec;
use crate::{Cursor, RunFile, SinkFault};

const LOADER: &str = include_str!("model/tapeline_network.py");
const PYTHON: &str = "3.11.7";
const REQUIREMENTS: &str = "mlflow\nnumpy\n";
const PYTHON_ENV: &str = "python: 3.11.7\nbuild_dependencies: [pip]\ndependencies: [-r requirements.txt]\n";

/// The folder of the artefact below the run's.
const ARTEFACT: &str = "artefact/";

/// The files of the artefact among those of the run, none if it has none yet.
pub(super) fn artefact(files: &[RunFile]) -> Vec<&RunFile> {
    let whole = files.iter().any(|file| file.name == "artefact/artefact.json");
    files.iter().filter(|file| whole && file.name.starts_with(ARTEFACT)).collect()
}

/// Everything of the model's folder but the artefact: name and text.
pub(super) fn texts(place: &Place) -> [(&'static str, String); 4] {
    let mlmodel = format!(
        "artifact_path: model\nflavors:\n  python_function:\n    loader_module: tapeline_network\n    code: code\n    \
         data: artefact\n    python_version: {PYTHON}\n    env: {{virtualenv: python_env.yaml}}\nrun_id: {}\n",
        place.run_id
    );
    [
        ("requirements.txt", REQUIREMENTS.into()),
        ("python_env.yaml", PYTHON_ENV.into()),
        ("code/tapeline_network.py", LOADER.into()),
        // Last: with it, the folder is a model.
        ("MLmodel", mlmodel),
    ]
}

/// Makes a version of the run's model in the registry, once, and points the alias at it.
pub(super) fn register(
    client: &Client,
    place: &Place,
    spec: &MlflowSpec,
    cursor: &mut Cursor,
) -> Result<(), SinkFault> {
    let Some(name) = &spec.registered_model else { return Ok(()) };
    let version = match cursor.recall_text("version") {
        Some(version) => version.to_owned(),
        None => {
            let version = match made_before(client, place, name)? {
                Some(version) => version,
                None => make(client, place, name)?,
            };
            cursor.remember("version", version.clone().into());
            version
        }
    };
    if let Some(alias) = spec.alias.as_ref().filter(|_| cursor.recall("aliased").is_none()) {
        let body = json!({ "name": name, "alias": alias, "version": version });
        client.post("registered-models/alias", &body).map_err(SinkFault::from)?;
        // Once: who moves it later, on the server, means it.
        cursor.remember("aliased", true.into());
    }
    Ok(())
}

/// The version that an earlier process made of this run and could not note.
fn made_before(client: &Client, place: &Place, name: &str) -> Result<Option<String>, SinkFault> {
    let filter = format!("run_id = '{}'", place.run_id);
    let query = [("filter", filter.as_str()), ("max_results", "100")];
    let found = client.get("model-versions/search", &query).map_err(SinkFault::from)?;
    let versions = found["model_versions"].as_array().map_or(&[][..], Vec::as_slice);
    let own = versions.iter().find(|version| version["name"] == name.as_str());
    Ok(own.and_then(|version| version["version"].as_str()).map(ToOwned::to_owned))
}

fn make(client: &Client, place: &Place, name: &str) -> Result<String, SinkFault> {
    if let Err(answer) = client.post("registered-models/create", &json!({ "name": name })) {
        answer.unless(&["RESOURCE_ALREADY_EXISTS"])?;
    }
    let source = format!("runs:/{}/model", place.run_id);
    let body = json!({ "name": name, "source": source, "run_id": place.run_id });
    let made = client.post("model-versions/create", &body).map_err(SinkFault::from)?;
    let version = made["model_version"]["version"].as_str().map(ToOwned::to_owned);
    version.ok_or_else(|| SinkFault::passing("the server's answer has no version"))
}
