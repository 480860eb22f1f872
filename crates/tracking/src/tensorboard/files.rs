//! Files of a run that TensorBoard shows: images, and the features as an embedding.

use std::fs;
use std::path::Path;

use super::message::{Image, Shown, Value};
use crate::{Cursor, RunFile, SinkFault};

/// The eight bytes that every PNG file begins with, and where its header has width, height and colours.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const WIDTH: std::ops::Range<usize> = 16..20;
const HEIGHT: std::ops::Range<usize> = 20..24;

/// Images that were not shown yet.
pub(super) struct NewImages {
    pub(super) values: Vec<Value>,
    /// What they are known by from now on.
    pub(super) digest: String,
}

/// The images of the run, `images/<name>.png`, unless they are those that `cursor` remembers.
pub(super) fn new_images(files: &[RunFile], cursor: &Cursor) -> Result<NewImages, SinkFault> {
    let (mut values, mut checksum) = (Vec::new(), 0);
    for file in files {
        let Some(name) = file.name.strip_prefix("images/").and_then(|name| name.strip_suffix(".png")) else {
            continue;
        };
        let encoded = fs::read(&file.path).map_err(|error| {
            SinkFault::passing(format!("cannot read {}", file.path.display())).because(error)
        })?;
        checksum = crc32c::crc32c_append(checksum, name.as_bytes());
        checksum = crc32c::crc32c_append(checksum, &encoded);
        let side = |place: std::ops::Range<usize>| {
            let bytes = encoded.get(place)?.try_into().ok()?;
            encoded.starts_with(PNG).then(|| i32::from_be_bytes(bytes))
        };
        let (Some(width), Some(height)) = (side(WIDTH), side(HEIGHT)) else {
            return Err(SinkFault::lasting(format!("{} is no PNG image", file.path.display())));
        };
        let image = Image { height, width, colorspace: 3, encoded };
        values.push(Value {
            tag: format!("images/{name}"),
            shown: Some(Shown::Image(image)),
            metadata: None,
        });
    }
    let digest = format!("{checksum:08x}");
    if cursor.recall_text("images") == Some(&digest) {
        values.clear();
    }
    Ok(NewImages { values, digest })
}

/// Points TensorBoard's projector at the features of the run, `embedding/vectors.tsv` and `embedding/metadata.tsv`. They are
/// copied, since it reads nothing outside the folder of its configuration.
pub(super) fn embeddings(files: &[RunFile], folder: &Path) -> Result<(), SinkFault> {
    let copied = |name: &str| {
        let Some(file) = files.iter().find(|file| file.name == format!("embedding/{name}")) else {
            return Ok(false);
        };
        fs::copy(&file.path, folder.join(name)).map(|_bytes| true).map_err(|error| {
            SinkFault::passing(format!("cannot copy {}", file.path.display())).because(error)
        })
    };
    if !copied("vectors.tsv")? {
        return Ok(());
    }
    let mut config = String::from("embeddings {\n  tensor_name: \"features\"\n");
    config.push_str("  tensor_path: \"vectors.tsv\"\n");
    if copied("metadata.tsv")? {
        config.push_str("  metadata_path: \"metadata.tsv\"\n");
    }
    config.push_str("}\n");
    let path = folder.join("projector_config.pbtxt");
    fs::write(&path, config)
        .map_err(|error| SinkFault::passing(format!("cannot write {}", path.display())).because(error))
}
