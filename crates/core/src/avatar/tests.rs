//! What is kept of images, and what is none.

use proptest::prelude::*;

use super::samples::{chunk, jpeg, lossless, lossy, png, riff_chunk, segment, webp};
use super::*;

const SECRET: &[u8] = b"52.5200N 13.4050E";

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What is kept of `dirty`, which holds a secret, is `clean`, which is kept as it is.
fn check(kind: ImageKind, dirty: &[u8], clean: &[u8]) {
    assert!(holds(dirty, SECRET), "{kind:?}: a test that tests nothing");
    let kept = Image::read(kind, dirty).expect("an image");
    assert_eq!(kept.bytes, clean, "{kind:?}");
    let again = Image::read(kind, clean).expect("what is kept is an image");
    assert_eq!(again, kept);
    assert_eq!(again.id(), kept.id(), "and is the same one");
}

#[test]
fn what_tells_of_the_photographer_is_not_kept() {
    let text = chunk(b"tEXt", SECRET);
    let exif = chunk(b"eXIf", SECRET);
    let film = [chunk(b"acTL", &[0; 8]), chunk(b"fcTL", &[0; 26])];
    let [film, frame] = film;
    let mut dirty = png(4, 3, &[text.clone(), exif, film, frame]);
    dirty.extend_from_slice(SECRET);
    check(ImageKind::Png, &dirty, &png(4, 3, &[]));
    let color = chunk(b"gAMA", &[0, 0, 0xB1, 0x8F]);
    let dirty = png(4, 3, &[color.clone(), text]);
    check(ImageKind::Png, &dirty, &png(4, 3, &[color]));

    let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
    let told = [
        segment(0xE0, SECRET),
        segment(0xE1, SECRET),
        segment(0xED, SECRET),
        segment(0xEE, SECRET),
        segment(0xFE, SECRET),
    ];
    let mut dirty = jpeg(4, 3, &[&told[..], std::slice::from_ref(&adobe)].concat());
    dirty.extend_from_slice(SECRET);
    check(ImageKind::Jpeg, &dirty, &jpeg(4, 3, &[adobe]));

    let told = [riff_chunk(b"EXIF", SECRET), riff_chunk(b"XMP ", SECRET)];
    let head = riff_chunk(b"VP8X", &[0x1C, 0, 0, 0, 3, 0, 0, 2, 0, 0]);
    let alpha = riff_chunk(b"ALPH", &[9; 5]);
    let whole = |chunks: &[Vec<u8>]| [chunks, &told[..]].concat();
    let mut dirty = webp(&whole(&[head.clone(), alpha.clone(), lossy(4, 3)]));
    dirty.extend_from_slice(SECRET);
    let long = riff_chunk(b"VP8X", &[0x10, 0, 0, 0, 3, 0, 0, 2, 0, 0]);
    check(ImageKind::Webp, &dirty, &webp(&[long, alpha, lossy(4, 3)]));
    let dirty = webp(&whole(&[head.clone(), lossy(4, 3)]));
    check(ImageKind::Webp, &dirty, &webp(&[lossy(4, 3)]));
    let dirty = webp(&whole(&[head, lossless(4, 3)]));
    check(ImageKind::Webp, &dirty, &webp(&[lossless(4, 3)]));
}

#[test]
fn what_is_no_such_image_is_refused_by_its_reason() {
    use ImageKind::{Jpeg, Png, Webp};
    use NotAnImage::{Damaged, OtherKind, Size, Unusual};
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>";
    let side = limits::AVATAR_SIDE_MAX;
    let side16 = side as u16;
    let mut crossed = png(4, 3, &[]);
    crossed[23] ^= 1;
    let progressive_and_again = segment(0xC2, &[8, 0, 3, 0, 4, 1, 1, 0x11, 0]);
    let film = [lossless(4, 3), riff_chunk(b"ANMF", &[0; 16])];
    for (kind, bytes, why) in [
        (Png, svg.to_vec(), OtherKind),
        (Jpeg, svg.to_vec(), OtherKind),
        (Webp, svg.to_vec(), OtherKind),
        (
            Png,
            b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec(),
            OtherKind,
        ),
        (Png, jpeg(4, 3, &[]), OtherKind),
        (Jpeg, png(4, 3, &[]), OtherKind),
        (Webp, b"RIFF\x04\0\0\0WAVE".to_vec(), OtherKind),
        (Png, Vec::new(), OtherKind),
        (Png, png(0, 3, &[]), Size),
        (Png, png(side + 1, 3, &[]), Size),
        (Png, png(4, u32::MAX, &[]), Size),
        (Jpeg, jpeg(side16 + 1, 3, &[]), Size),
        (Jpeg, jpeg(4, 0, &[]), Size),
        (Webp, webp(&[lossy(side16 + 1, 3)]), Size),
        (Webp, webp(&[lossless(4, side + 1)]), Size),
        (Png, crossed, Damaged),
        (Png, png(4, 3, &[chunk(b"IHDR", &[0; 13])]), Damaged),
        (Png, png(4, 3, &[chunk(b"CgBI", &[0; 4])]), Unusual),
        (Jpeg, jpeg(4, 3, &[progressive_and_again]), Unusual),
        (Jpeg, jpeg(4, 3, &[segment(0xC9, &[0; 9])]), Unusual),
        (Jpeg, vec![0xFF, 0xD8, 0xFF, 0xD9], Damaged),
        (Webp, webp(&film), Unusual),
        (Webp, webp(&[]), Damaged),
        (Webp, webp(&[lossy(4, 3), lossy(4, 3)]), Unusual),
    ] {
        assert_eq!(Image::read(kind, &bytes), Err(why), "{kind:?} {bytes:?}");
    }
    assert!(
        Image::read(Png, &png(side, side, &[])).is_ok(),
        "the largest"
    );
}

#[test]
fn an_image_cut_short_is_none() {
    let long = riff_chunk(b"VP8X", &[0x10, 0, 0, 0, 3, 0, 0, 2, 0, 0]);
    let alpha = riff_chunk(b"ALPH", &[9; 5]);
    for (kind, whole) in [
        (ImageKind::Png, png(4, 3, &[chunk(b"tRNS", &[0, 1])])),
        (ImageKind::Jpeg, jpeg(4, 3, &[segment(0xE1, SECRET)])),
        (ImageKind::Webp, webp(&[long, alpha, lossy(4, 3)])),
        (ImageKind::Webp, webp(&[lossless(4, 3)])),
    ] {
        assert!(Image::read(kind, &whole).is_ok());
        for length in 0..whole.len() {
            let cut = Image::read(kind, &whole[..length]);
            assert!(cut.is_err(), "{kind:?} of {length} bytes");
        }
    }
}

#[test]
fn names_are_of_the_content() {
    let read = |bytes: &[u8]| Image::read(ImageKind::Png, bytes).expect("an image").id();
    assert_eq!(read(&png(4, 3, &[])), read(&png(4, 3, &[])));
    assert_ne!(read(&png(4, 3, &[])), read(&png(3, 4, &[])));
    assert!(read(&png(4, 3, &[])).to_string().starts_with("a_"));
}

/// The beginnings of images, so that random bytes get past the first look.
fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(png(4, 3, &[])),
        Just(jpeg(4, 3, &[])),
        Just(webp(&[lossy(4, 3)])),
        Just(webp(&[lossless(4, 3)])),
    ]
}

proptest! {
    #[test]
    fn whatever_the_bytes_what_is_kept_is_kept_again(
        begin in beginnings(),
        cut in 0_usize..200,
        noise in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let mut bytes = begin[..cut.min(begin.len())].to_vec();
        bytes.extend(noise);
        for kind in ImageKind::ALL {
            if let Ok(image) = Image::read(kind, &bytes) {
                prop_assert!(image.bytes.len() <= bytes.len() + 18, "and hardly longer");
                let again = Image::read(kind, &image.bytes);
                prop_assert_eq!(again, Ok(image));
            }
        }
    }
}
