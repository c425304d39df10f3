//! Pictures of people and rooms: what may be one, what of it is kept, and its name.
//!
//! An image is taken apart down to the pieces by which it is drawn, and put together again from
//! those alone: what tells where a photo was taken (EXIF, XMP, comments, text, thumbnails, and
//! whatever stands behind the end) is not copied. Known pieces are kept rather than unknown ones
//! dropped, so that nothing slips through that a list of bad ones has forgotten. Pixels are not
//! decoded: that is left to whoever shows them, and bounded by the size in the header.
//!
//! Where images are kept is for stores; the bytes are nobody's state machine.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::AvatarId;
use crate::limits;

mod jpeg;
mod png;
mod webp;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

/// What stands as somebody's or a room's picture: this image, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "AvatarId | null"))]
#[serde(transparent)]
pub struct Avatar(pub Option<AvatarId>);

impl Avatar {
    /// Reads a field in which `null` says something: with `default`, an absent one is `None`.
    ///
    /// # Errors
    /// What is neither `null` nor an id.
    pub fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        Option::deserialize(from).map(|id| Some(Self(id)))
    }
}

/// The kinds of image that are taken. No others: SVG is a program, GIF a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageKind {
    /// PNG (W3C Portable Network Graphics, second edition), its first picture.
    Png,
    /// JPEG (ITU-T T.81), Huffman coded.
    Jpeg,
    /// WebP (RFC 9649), one picture.
    Webp,
}

impl ImageKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// The kind of this media type, which is compared without regard to case.
    #[must_use]
    pub fn of(media_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.media_type().eq_ignore_ascii_case(media_type))
    }
}

/// Why bytes are not taken as an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnImage {
    /// They begin as no image of that kind does.
    OtherKind,
    /// They end too early, contradict themselves, or lack what every such image has.
    Damaged,
    /// A form of that kind which is not taken: several pictures, or a rare coding.
    Unusual,
    /// More than [`limits::AVATAR_SIDE_MAX`] pixels wide or high, or none at all.
    Size,
}

impl NotAnImage {
    /// In words, for whoever sent it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::OtherKind => "the body is not an image of the kind that `Content-Type` says",
            Self::Damaged => "the image is cut short or damaged",
            Self::Unusual => "the image is of a form that is not taken, such as an animation",
            Self::Size => "the image has no pixels, or more than 512 in a row or column",
        }
    }
}

/// An image as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What its bytes are.
    pub kind: ImageKind,
    /// What is needed to draw it, and nothing else.
    pub bytes: Bytes,
}

impl Image {
    /// The image in `bytes`, which somebody says is of this kind.
    ///
    /// # Errors
    /// Why it is none. Whatever the bytes, it ends soon and never panics.
    pub fn read(kind: ImageKind, bytes: &[u8]) -> Result<Self, NotAnImage> {
        let kept = match kind {
            ImageKind::Png => png::kept(bytes)?,
            ImageKind::Jpeg => jpeg::kept(bytes)?,
            ImageKind::Webp => webp::kept(bytes)?,
        };
        Ok(Self {
            kind,
            bytes: kept.into(),
        })
    }

    /// Its name: the first 16 bytes of the SHA-256 of what is stored. The same picture is stored
    /// once, whoever sends it.
    #[must_use]
    pub fn id(&self) -> AvatarId {
        let digest = Sha256::digest(&self.bytes);
        AvatarId(digest[..16].try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Checks the size that a header says.
fn sized(width: u32, height: u32) -> Result<(), NotAnImage> {
    let good = 1..=limits::AVATAR_SIDE_MAX;
    if good.contains(&width) && good.contains(&height) {
        return Ok(());
    }
    Err(NotAnImage::Size)
}

/// Bytes that are taken from the front.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], NotAnImage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(NotAnImage::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAnImage> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as many as were taken"))
    }
}
