//! Framing against a plain reader of the format.

use proptest::prelude::*;

use super::{BLOCK, FILE_HEADER, HEADER, frame};

/// The records of a file, read as LevelDB reads its logs.
fn records(file: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(file[..7], FILE_HEADER);
    let (mut at, mut records, mut open) = (7, Vec::new(), None::<Vec<u8>>);
    while at < file.len() {
        let left = BLOCK as usize - at % BLOCK as usize;
        if left < HEADER as usize {
            assert!(file[at..at + left].iter().all(|byte| *byte == 0), "the end of a block is not zero");
            at += left;
            continue;
        }
        let checksum = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let length = u16::from_le_bytes(file[at + 4..at + 6].try_into().unwrap()) as usize;
        let (kind, part) = (file[at + 6], &file[at + 7..at + 7 + length]);
        assert_eq!(checksum, crc32fast::hash(&file[at + 6..at + 7 + length]));
        assert!(7 + length <= left, "a chunk reaches over its block");
        at += 7 + length;
        match kind {
            1 => records.push(part.to_vec()),
            2 => open = Some(part.to_vec()),
            3 => open.as_mut().unwrap().extend_from_slice(part),
            4 => {
                let mut whole = open.take().unwrap();
                whole.extend_from_slice(part);
                records.push(whole);
            }
            other => panic!("kind {other}"),
        }
    }
    assert!(open.is_none());
    records
}

fn file(records: &[Vec<u8>]) -> Vec<u8> {
    records.iter().fold(FILE_HEADER.to_vec(), |mut file, record| {
        let framed = frame(file.len() as u64, record);
        file.extend(framed);
        file
    })
}

#[test]
fn every_remainder_of_a_block_is_read_back() {
    for left in 0..=2 * HEADER {
        // The first record ends so many bytes before the end of the first block.
        let first = vec![1; (BLOCK - 7 - HEADER - left) as usize];
        let written = [first, vec![2; 5], Vec::new(), vec![3; 100_000]];
        assert_eq!(records(&file(&written)), written, "{left} bytes were left");
    }
}

#[test]
fn a_record_looks_as_wandb_writes_it() {
    // What Python's zlib.crc32 says of b"\x01bars".
    let expected = 0xf77d_7bc0_u32.to_le_bytes();
    assert_eq!(frame(7, b"bars"), [&expected[..], &[4, 0, 1], b"bars"].concat());
}

proptest! {
    #[test]
    fn records_of_any_length_are_read_back(lengths in prop::collection::vec(0_usize..70_000, 0..12)) {
        let written: Vec<Vec<u8>> = lengths.iter().zip(0_u8..).map(|(length, byte)| vec![byte; *length]).collect();
        prop_assert_eq!(records(&file(&written)), written);
    }
}
