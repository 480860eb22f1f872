//! The smallest library that names what it needs, for tests.

/// An ELF file of one segment that holds everything: header, two program headers, strings, dynamic table.
pub(in crate::libtorch) fn library(needed: &[&str], search: &str) -> Vec<u8> {
    const HEADERS: usize = 64 + 2 * 56;
    let mut strings = vec![0];
    let mut dynamic: Vec<(u64, u64)> = Vec::new();
    let mut string = |text: &str| {
        let at = strings.len() as u64;
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    for name in needed {
        dynamic.push((super::DT_NEEDED, string(name)));
    }
    if !search.is_empty() {
        dynamic.push((super::DT_RUNPATH, string(search)));
    }
    dynamic.push((super::DT_STRTAB, HEADERS as u64));
    dynamic.push((0, 0));

    let (table, length) = (HEADERS + strings.len(), dynamic.len() * 16);
    let end = (table + length) as u64;
    let mut file = vec![0; HEADERS];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    put(&mut file, 32, 64, 8);
    put(&mut file, 54, 56, 2);
    put(&mut file, 56, 2, 2);
    for (at, kind, offset, size) in
        [(64, super::PT_LOAD, 0, end), (120, super::PT_DYNAMIC, table as u64, length as u64)]
    {
        put(&mut file, at, kind, 4);
        put(&mut file, at + 8, offset, 8);
        put(&mut file, at + 16, offset, 8);
        put(&mut file, at + 32, size, 8);
    }
    file.extend(strings);
    for (tag, value) in dynamic {
        file.extend(tag.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file
}

fn put(file: &mut [u8], at: usize, value: u64, width: usize) {
    file[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}
