//! Text out of plain files, gzip and zip.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::error::IngestError;

/// What the bytes of a file are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapping {
    None,
    Gzip,
    Zip,
}

/// By the name: vendors name their files faithfully, and a wrong name is found as soon as its bytes are read.
fn wrapping(path: &Path) -> Wrapping {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("zip") => Wrapping::Zip,
        Some("gz") => Wrapping::Gzip,
        _ => Wrapping::None,
    }
}

/// Calls `read` for every text inside of the file at `path`, or for that file itself, unwrapped. A text is called by the
/// path of its file and, in an archive, its name there below that. Folders and hidden files in archives are passed over.
pub(super) fn for_each_text(
    path: &Path,
    read: &mut dyn FnMut(&Path, &mut dyn Read) -> Result<(), IngestError>,
) -> Result<(), IngestError> {
    let file = open(path)?;
    match wrapping(path) {
        Wrapping::None => read(path, &mut { file }),
        Wrapping::Gzip => read(path, &mut MultiGzDecoder::new(file)),
        Wrapping::Zip => {
            let zip_error = |source| IngestError::OpenZip { path: path.into(), source };
            let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(zip_error)?;
            for index in 0..archive.len() {
                let mut entry = archive.by_index(index).map_err(zip_error)?;
                let full_name = entry.name().map_err(zip_error)?.into_owned();
                let name = full_name.rsplit(['/', '\\']).next().unwrap_or_default();
                if entry.is_file() && !name.starts_with('.') {
                    read(&path.join(name), &mut entry)?;
                }
            }
            Ok(())
        }
    }
}

/// The BLAKE3 hash of the bytes of the file at `path`, as hexadecimal digits.
pub(super) fn hash(path: &Path) -> Result<String, IngestError> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut open(path)?, &mut hasher)
        .map_err(|source| IngestError::ReadFile { path: path.into(), source })?;
    Ok(hasher.finalize().to_hex().to_string())
}

pub(super) fn open(path: &Path) -> Result<File, IngestError> {
    File::open(path).map_err(|source| IngestError::ReadFile { path: path.into(), source })
}
