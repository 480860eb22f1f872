//! Records of an event file: length, its checksum, data, their checksum (the format of TFRecord files).

#[cfg(test)]
mod tests;

/// One record around `data`.
pub(super) fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut framed = Vec::with_capacity(data.len() + 16);
    framed.extend_from_slice(&length);
    framed.extend_from_slice(&masked_checksum(&length).to_le_bytes());
    framed.extend_from_slice(data);
    framed.extend_from_slice(&masked_checksum(data).to_le_bytes());
    framed
}

/// CRC-32C, turned and moved so that the checksum of data that hold checksums is a good one too.
fn masked_checksum(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}
