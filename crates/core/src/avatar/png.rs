//! PNG: the chunks by which the first picture is drawn.

use super::{NotAnImage, Rest, sized};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Beside the data: palette, transparency, and what its numbers mean as light.
const KEPT: [&[u8; 4]; 7] = [
    b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"IDAT",
];

pub(super) fn kept(bytes: &[u8]) -> Result<Vec<u8>, NotAnImage> {
    let rest = bytes.strip_prefix(SIGNATURE);
    let mut rest = Rest(rest.ok_or(NotAnImage::OtherKind)?);
    let mut out = SIGNATURE.to_vec();
    let mut first = true;
    let mut data = 0;
    loop {
        let length = u32::from_be_bytes(rest.array()?);
        let kind: [u8; 4] = rest.array()?;
        let body = rest.take(usize::try_from(length).map_err(|_large| NotAnImage::Damaged)?)?;
        let sum: [u8; 4] = rest.array()?;
        if first != (&kind == b"IHDR") {
            return Err(NotAnImage::Damaged);
        }
        if first {
            header(body)?;
        }
        first = false;
        let ends = &kind == b"IEND";
        let is_kept = KEPT.contains(&&kind);
        // An upper-case first letter: nobody draws the picture who does not know this chunk.
        if !ends && !is_kept && kind[0].is_ascii_uppercase() {
            return Err(NotAnImage::Unusual);
        }
        if !ends && !is_kept {
            continue;
        }
        if checksum(&[&kind, body]) != u32::from_be_bytes(sum) {
            return Err(NotAnImage::Damaged);
        }
        data += if &kind == b"IDAT" { body.len() } else { 0 };
        let body = if ends { &[][..] } else { body };
        out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        out.extend_from_slice(&kind);
        out.extend_from_slice(body);
        out.extend_from_slice(&checksum(&[&kind, body]).to_be_bytes());
        if ends {
            return if data > 0 {
                Ok(out)
            } else {
                Err(NotAnImage::Damaged)
            };
        }
    }
}

/// Width, height, and five bytes of how it is coded.
fn header(body: &[u8]) -> Result<(), NotAnImage> {
    let mut rest = Rest(body);
    let (width, height) = (rest.array()?, rest.array()?);
    sized(u32::from_be_bytes(width), u32::from_be_bytes(height))?;
    let [depth, color, compression, filter, interlace] = rest.array()?;
    let depths: &[u8] = match color {
        0 => &[1, 2, 4, 8, 16],
        3 => &[1, 2, 4, 8],
        2 | 4 | 6 => &[8, 16],
        _ => &[],
    };
    let is_good = depths.contains(&depth) && compression == 0 && filter == 0 && interlace <= 1;
    if is_good && rest.0.is_empty() {
        Ok(())
    } else {
        Err(NotAnImage::Damaged)
    }
}

/// CRC-32 as PNG has it, bit by bit: images are small.
pub(super) fn checksum(parts: &[&[u8]]) -> u32 {
    let mut sum = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        sum ^= u32::from(*byte);
        for _bit in 0..8 {
            let carry = if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
            sum = (sum >> 1) ^ carry;
        }
    }
    !sum
}
