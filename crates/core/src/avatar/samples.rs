//! Images for tests, made of their pieces.

use super::png::checksum;

/// A chunk of PNG.
pub(super) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(kind);
    out.extend_from_slice(body);
    out.extend_from_slice(&checksum(&[kind, body]).to_be_bytes());
    out
}

/// A PNG that says this size, with chunks before its data. Its data is what a single black dot has.
pub(super) fn png(width: u32, height: u32, before: &[Vec<u8>]) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 0, 0, 0, 0]);
    let dot = [0x78, 0x9C, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01];
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    out.extend(chunk(b"IHDR", &header));
    out.extend(before.iter().flatten());
    out.extend(chunk(b"IDAT", &dot));
    out.extend(chunk(b"IEND", &[]));
    out
}

/// A segment of JPEG.
pub(super) fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xFF, marker];
    out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// A JPEG that says this size, with segments before its frame.
pub(super) fn jpeg(width: u16, height: u16, before: &[Vec<u8>]) -> Vec<u8> {
    let mut frame = vec![8];
    frame.extend_from_slice(&height.to_be_bytes());
    frame.extend_from_slice(&width.to_be_bytes());
    frame.extend_from_slice(&[1, 1, 0x11, 0]);
    let mut out = vec![0xFF, 0xD8];
    out.extend(before.iter().flatten());
    out.extend(segment(0xDB, &[0; 65]));
    out.extend(segment(0xC0, &frame));
    out.extend(segment(0xC4, &[0; 20]));
    out.extend(segment(0xDA, &[1, 1, 0, 0, 63, 0]));
    out.extend_from_slice(&[0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56, 0xFF, 0xD9]);
    out
}

/// A chunk of RIFF.
pub(super) fn riff_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&[0][..body.len() % 2]);
    out
}

/// A WebP of these chunks.
pub(super) fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body: Vec<u8> = chunks.iter().flatten().copied().collect();
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&(body.len() as u32 + 4).to_le_bytes());
    out.extend_from_slice(b"WEBP");
    out.extend(body);
    out
}

/// The lossy picture of a WebP.
pub(super) fn lossy(width: u16, height: u16) -> Vec<u8> {
    // A key frame whose first partition has two bytes.
    let mut body = vec![2 << 5, 0, 0, 0x9D, 0x01, 0x2A];
    body.extend_from_slice(&width.to_le_bytes());
    body.extend_from_slice(&height.to_le_bytes());
    body.extend_from_slice(&[7, 7, 7]);
    riff_chunk(b"VP8 ", &body)
}

/// The lossless one.
pub(super) fn lossless(width: u32, height: u32) -> Vec<u8> {
    let mut body = vec![0x2F];
    body.extend_from_slice(&((width - 1) | (height - 1) << 14).to_le_bytes());
    body.extend_from_slice(&[1, 2, 3]);
    riff_chunk(b"VP8L", &body)
}
