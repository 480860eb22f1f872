//! Just enough of ELF to tell a whole shared library from a cut one and to list what it needs.
//!
//! The layout of the fields is from the System V ABI (`elf.h`): 64-bit, little-endian.

#[cfg(test)]
pub(super) mod fake;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// What a shared library asks the loader for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Library {
    /// Libraries by name, in order.
    pub(super) needed: Vec<String>,
    /// Folders in which its makers expect them, `$ORIGIN` replaced by its own.
    pub(super) search: Vec<PathBuf>,
}

/// Why a file is no whole shared library.
#[derive(Debug, thiserror::Error)]
pub(super) enum ElfError {
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    #[error("it is not a 64-bit ELF library")]
    Foreign,
    #[error("it is cut short: {found} of at least {expected} bytes")]
    Truncated { expected: u64, found: u64 },
}

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    length: u64,
}

/// Reads the library at `path`.
pub(super) fn read(path: &Path) -> Result<Library, ElfError> {
    let file = File::open(path)?;
    let found = file.metadata()?.len();
    let mut header = [0; 64];
    if found < 64 {
        return Err(ElfError::Truncated { expected: 64, found });
    }
    file.read_exact_at(&mut header, 0)?;
    if &header[..6] != b"\x7fELF\x02\x01" {
        return Err(ElfError::Foreign);
    }

    let segments = segments(&file, &header, found)?;
    let sections_end =
        field(&header, 40, 8).saturating_add(field(&header, 58, 2).saturating_mul(field(&header, 60, 2)));
    let segments_end =
        segments.iter().map(|segment| segment.offset.saturating_add(segment.length)).max().unwrap_or(0);
    let expected = sections_end.max(segments_end);
    if found < expected {
        return Err(ElfError::Truncated { expected, found });
    }

    let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
        return Err(ElfError::Foreign);
    };
    let mut table = vec![0; usize::try_from(dynamic.length).map_err(|_| ElfError::Foreign)?];
    file.read_exact_at(&mut table, dynamic.offset)?;
    let entries: Vec<(u64, u64)> =
        table.chunks_exact(16).map(|entry| (field(entry, 0, 8), field(entry, 8, 8))).collect();
    let Some(strings) = entries.iter().find(|(tag, _)| *tag == DT_STRTAB).map(|(_, address)| *address) else {
        return Ok(Library::default());
    };
    let strings = segments
        .iter()
        .filter(|segment| segment.kind == PT_LOAD)
        .find(|segment| (segment.address..segment.address.saturating_add(segment.length)).contains(&strings))
        .map(|segment| segment.offset + (strings - segment.address))
        .ok_or(ElfError::Foreign)?;

    let origin = path.parent().unwrap_or(Path::new("")).to_string_lossy();
    let mut library = Library::default();
    for (tag, value) in entries {
        match tag {
            DT_NEEDED => library.needed.push(string_at(&file, strings.saturating_add(value))?),
            DT_RPATH | DT_RUNPATH => {
                let paths = string_at(&file, strings.saturating_add(value))?;
                library.search.extend(paths.split(':').map(|path| path.replace("$ORIGIN", &origin).into()));
            }
            _ => {}
        }
    }
    Ok(library)
}

fn segments(file: &File, header: &[u8], found: u64) -> Result<Vec<Segment>, ElfError> {
    let (start, size, count) = (field(header, 32, 8), field(header, 54, 2), field(header, 56, 2));
    let expected = start.saturating_add(size * count);
    if found < expected {
        return Err(ElfError::Truncated { expected, found });
    }
    if size < 56 {
        return Err(ElfError::Foreign);
    }
    let mut entry = [0; 56];
    (0..count)
        .map(|index| {
            file.read_exact_at(&mut entry, start + index * size)?;
            Ok(Segment {
                kind: field(&entry, 0, 4),
                offset: field(&entry, 8, 8),
                address: field(&entry, 16, 8),
                length: field(&entry, 32, 8),
            })
        })
        .collect()
}

/// The unsigned number in the `width` bytes from `at`.
fn field(bytes: &[u8], at: usize, width: usize) -> u64 {
    bytes[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The text at `offset`, up to its zero byte.
fn string_at(file: &File, offset: u64) -> Result<String, ElfError> {
    let mut text = Vec::new();
    let mut chunk = [0; 256];
    loop {
        let read = file.read_at(&mut chunk, offset.saturating_add(text.len() as u64))?;
        match chunk[..read].iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend_from_slice(&chunk[..end]);
                return String::from_utf8(text).map_err(|_| ElfError::Foreign);
            }
            None if read == 0 => return Err(ElfError::Foreign),
            None => text.extend_from_slice(&chunk[..read]),
        }
    }
}
