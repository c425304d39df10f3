//! WebP: the one picture, and its transparency where that stands beside it.

use super::{NotAnImage, Rest, sized};

/// In the header of the long form: there is transparency. All other signs are of what is dropped.
const HAS_ALPHA: u8 = 0x10;

pub(super) fn kept(bytes: &[u8]) -> Result<Vec<u8>, NotAnImage> {
    let mut rest = Rest(bytes);
    let is_riff = rest.take(4).is_ok_and(|word| word == b"RIFF");
    let length: [u8; 4] = if is_riff { rest.array() } else { Ok([0; 4]) }?;
    if !rest.take(4).is_ok_and(|word| word == b"WEBP") {
        return Err(NotAnImage::OtherKind);
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let length = length.checked_sub(4).ok_or(NotAnImage::Damaged)?;
    // What stands behind the length that it says is no part of it.
    let mut chunks = Rest(rest.take(length)?);
    let (mut alpha, mut picture) = (None, None);
    while !chunks.0.is_empty() {
        let (kind, body) = chunk(&mut chunks)?;
        match &kind {
            b"VP8 " | b"VP8L" if picture.is_none() => {
                let is_lossy = &kind == b"VP8 ";
                let size = if is_lossy {
                    lossy(body)?
                } else {
                    lossless(body)?
                };
                picture = Some((kind, body, size));
            }
            b"VP8 " | b"VP8L" | b"ANIM" | b"ANMF" => return Err(NotAnImage::Unusual),
            b"ALPH" if picture.is_none() => alpha = Some(body),
            _ => {}
        }
    }
    let (kind, body, (width, height)) = picture.ok_or(NotAnImage::Damaged)?;
    sized(width, height)?;
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    // The lossless form holds its own transparency.
    if let (Some(alpha), b"VP8 ") = (alpha, &kind) {
        let (width, height) = ((width - 1).to_le_bytes(), (height - 1).to_le_bytes());
        let mut long = vec![HAS_ALPHA, 0, 0, 0];
        long.extend_from_slice(&width[..3]);
        long.extend_from_slice(&height[..3]);
        put(&mut out, *b"VP8X", &long);
        put(&mut out, *b"ALPH", alpha);
    }
    put(&mut out, kind, body);
    let length = (out.len() - 8) as u32;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Ok(out)
}

/// A chunk; one of odd length has a byte behind it.
fn chunk<'a>(rest: &mut Rest<'a>) -> Result<([u8; 4], &'a [u8]), NotAnImage> {
    let kind = rest.array()?;
    let length = u32::from_le_bytes(rest.array()?);
    let length = usize::try_from(length).map_err(|_large| NotAnImage::Damaged)?;
    let body = rest.take(length)?;
    rest.take(length % 2)?;
    Ok((kind, body))
}

fn put(out: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    out.extend_from_slice(&kind);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&[0][..body.len() % 2]);
}

/// Width and height of a key frame (RFC 6386, 9.1); the two bits above them are a scale.
fn lossy(body: &[u8]) -> Result<(u32, u32), NotAnImage> {
    let mut rest = Rest(body);
    let tag: [u8; 3] = rest.array()?;
    let start: [u8; 3] = rest.array()?;
    if tag[0] & 1 != 0 || start != [0x9D, 0x01, 0x2A] {
        return Err(NotAnImage::Damaged);
    }
    let side = |bytes: [u8; 2]| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    let (width, height) = (side(rest.array()?), side(rest.array()?));
    // The first partition, which the tag gives the length of, stands in full.
    let first = u32::from_le_bytes([tag[0], tag[1], tag[2], 0]) >> 5;
    if rest.0.len() < usize::try_from(first).unwrap_or(usize::MAX) {
        return Err(NotAnImage::Damaged);
    }
    Ok((width, height))
}

/// Width and height, each less one, in 14 bits.
fn lossless(body: &[u8]) -> Result<(u32, u32), NotAnImage> {
    let mut rest = Rest(body);
    if rest.array()? != [0x2F] {
        return Err(NotAnImage::Damaged);
    }
    let bits = u32::from_le_bytes(rest.array()?);
    Ok(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
}
