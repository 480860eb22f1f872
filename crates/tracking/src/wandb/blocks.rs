//! The framing of a `.wandb` file: a log in blocks of 32 KiB (LevelDB's), whose checksum is plain CRC-32.

#[cfg(test)]
mod tests;

const BLOCK: u64 = 32 * 1024;
/// Checksum, length and kind of a chunk.
const HEADER: u64 = 7;

/// What every file begins with; it counts in the first block.
pub(super) const FILE_HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xe1, 0xbe, 0];

/// The chunks of one record that begins at byte `at` of the file.
pub(super) fn frame(at: u64, record: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(record.len() + 2 * HEADER as usize);
    let (mut rest, mut is_first) = (record, true);
    loop {
        let left = BLOCK - (at + framed.len() as u64) % BLOCK;
        if left < HEADER {
            // No header fits: the block ends with zeros.
            framed.resize(framed.len() + left as usize, 0);
            continue;
        }
        let (part, later) = rest.split_at(rest.len().min((left - HEADER) as usize));
        let kind = match (is_first, later.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&[kind]);
        checksum.update(part);
        framed.extend_from_slice(&checksum.finalize().to_le_bytes());
        framed.extend_from_slice(&(part.len() as u16).to_le_bytes());
        framed.push(kind);
        framed.extend_from_slice(part);
        (rest, is_first) = (later, false);
        if rest.is_empty() {
            return framed;
        }
    }
}
