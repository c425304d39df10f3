//! JPEG: tables, frame and scans, without application data and comments.
//!
//! Its turning by EXIF goes as well: whoever uploads turns the pixels before.

use super::{NotAnImage, Rest, sized};

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
/// How colours were mixed: told by one program only, and needed by its images.
const ADOBE: u8 = 0xEE;
const ADOBE_BODY: usize = 12;

pub(super) fn kept(bytes: &[u8]) -> Result<Vec<u8>, NotAnImage> {
    let rest = bytes.strip_prefix(&[0xFF, START]);
    let mut rest = Rest(rest.ok_or(NotAnImage::OtherKind)?);
    let mut out = vec![0xFF, START];
    let (mut framed, mut scanned) = (false, false);
    loop {
        let marker = marker(&mut rest)?;
        if marker == END {
            out.extend_from_slice(&[0xFF, END]);
            return if scanned {
                Ok(out)
            } else {
                Err(NotAnImage::Damaged)
            };
        }
        // Alone, without a length: none of these stands between segments.
        if matches!(marker, 0x00..=0x01 | 0xD0..=START) {
            return Err(NotAnImage::Damaged);
        }
        let length = usize::from(u16::from_be_bytes(rest.array()?));
        let body = rest.take(length.checked_sub(2).ok_or(NotAnImage::Damaged)?)?;
        let is_kept = match marker {
            // Baseline, extended, progressive.
            0xC0..=0xC2 => {
                if std::mem::replace(&mut framed, true) {
                    return Err(NotAnImage::Unusual);
                }
                frame(body)?;
                true
            }
            // Tables of codes and quanta, and how often scans may be joined again.
            0xC4 | 0xDB | 0xDD => true,
            SCAN => {
                if !framed {
                    return Err(NotAnImage::Damaged);
                }
                scanned = true;
                true
            }
            ADOBE => body.len() == ADOBE_BODY && body.starts_with(b"Adobe"),
            0xE0..=0xEF | 0xFE => false,
            _ => return Err(NotAnImage::Unusual),
        };
        if is_kept {
            out.extend_from_slice(&[0xFF, marker]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
            out.extend_from_slice(body);
        }
        if marker == SCAN {
            out.extend_from_slice(scan(&mut rest)?);
        }
    }
}

/// The next marker, past what may fill up before it.
fn marker(rest: &mut Rest<'_>) -> Result<u8, NotAnImage> {
    let [begin] = rest.array()?;
    if begin != 0xFF {
        return Err(NotAnImage::Damaged);
    }
    loop {
        let [byte] = rest.array()?;
        if byte != 0xFF {
            return Ok(byte);
        }
    }
}

/// The coded data up to the next marker that is not a part of it.
fn scan<'a>(rest: &mut Rest<'a>) -> Result<&'a [u8], NotAnImage> {
    let pairs = rest.0.windows(2);
    let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF);
    let length = pairs
        .into_iter()
        .position(ends)
        .ok_or(NotAnImage::Damaged)?;
    rest.take(length)
}

/// Precision, height, width, and three bytes for each of the components.
fn frame(body: &[u8]) -> Result<(), NotAnImage> {
    let mut rest = Rest(body);
    let [_precision] = rest.array()?;
    let (height, width) = (rest.array()?, rest.array()?);
    let [components] = rest.array()?;
    sized(
        u32::from(u16::from_be_bytes(width)),
        u32::from(u16::from_be_bytes(height)),
    )?;
    if matches!(components, 1 | 3 | 4) && rest.0.len() == 3 * usize::from(components) {
        Ok(())
    } else {
        Err(NotAnImage::Damaged)
    }
}
