//! Framing against the check values of CRC-32C (RFC 3720, B.4).

use super::{frame, masked_checksum};

#[test]
fn checksums_are_castagnoli_and_masked() {
    // 32 bytes of zeros: 0x8a9136aa; of ones: 0x62a8ab43.
    let mask = |checksum: u32| checksum.rotate_right(15).wrapping_add(0xa282_ead8);
    assert_eq!(masked_checksum(&[0; 32]), mask(0x8a91_36aa));
    assert_eq!(masked_checksum(&[0xff; 32]), mask(0x62a8_ab43));
}

#[test]
fn a_record_is_length_checksum_data_checksum() {
    let framed = frame(b"bars");
    assert_eq!(framed.len(), 8 + 4 + 4 + 4);
    assert_eq!(framed[..8], 4_u64.to_le_bytes());
    assert_eq!(framed[8..12], masked_checksum(&framed[..8]).to_le_bytes());
    assert_eq!((&framed[12..16], &framed[16..]), (&b"bars"[..], &masked_checksum(b"bars").to_le_bytes()[..]));
}
