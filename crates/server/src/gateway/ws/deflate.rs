//! permessage-deflate at work (RFC 7692, section 7.2): frames that shrink on the way out, messages
//! that grow on the way in.
//!
//! Nothing is remembered between messages, so the working memory of zlib belongs to a thread, not
//! to a socket, and the same compressed frame fits every client that negotiated the extension. What
//! was agreed with whom is `extension`'s business. A [`Deflate`] lives as long as its node.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Violation;
use super::encoder::{compressed_frame, payload};

/// Payloads below this many bytes are sent as they are. Of a short event, ids that do not compress
/// are the most: the tens of microseconds would save some 80 bytes.
pub const DEFLATE_FROM_BYTES: usize = 512;
/// Payloads above this many bytes are sent as they are, so that no socket waits behind tens of
/// milliseconds of another one's compression.
pub const DEFLATE_TO_BYTES: usize = 512 * 1024;

/// zlib's level. Level 1 leaves a fifth to a third more bytes of an event, level 6 takes up to
/// twice the time for at most 4 % fewer.
const LEVEL: u32 = 2;
/// An empty stored block, which every message ends with on the way in and which is cut off on the
/// wire (section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// Fed behind a message: its tail, then an empty last block. Only a message that is whole brings
/// the inflater to the end of both.
const END: [u8; 6] = [0x00, 0x00, 0xff, 0xff, 0x03, 0x00];
/// Bytes that are inflated at a time: the most by which a message passes its limit in memory.
const PIECE_BYTES: usize = 8 * 1024;

thread_local! {
    /// About 300 KiB, from a thread's first compressed frame on.
    static COMPRESS: RefCell<Option<Compress>> = const { RefCell::new(None) };
    /// About 40 KiB, from a thread's first compressed message on.
    static DECOMPRESS: RefCell<Option<Decompress>> = const { RefCell::new(None) };
}

/// Compresses and inflates for all sockets that negotiated it, and counts.
#[derive(Debug, Default)]
pub struct Deflate {
    before: AtomicU64,
    after: AtomicU64,
    received: AtomicU64,
    inflated: AtomicU64,
}

/// What compression has done so far, in bytes of payload. An event counts once, however many
/// receivers share its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeflateFigures {
    /// Frames to clients that were worth compressing, before it.
    pub before_bytes: u64,
    /// The same frames after it.
    pub after_bytes: u64,
    /// Compressed messages as they came from clients.
    pub received_bytes: u64,
    /// The same messages inflated.
    pub inflated_bytes: u64,
}

impl Deflate {
    /// The counters now; each is exact, together they are not of one moment.
    #[must_use]
    pub fn figures(&self) -> DeflateFigures {
        DeflateFigures {
            before_bytes: self.before.load(Ordering::Relaxed),
            after_bytes: self.after.load(Ordering::Relaxed),
            received_bytes: self.received.load(Ordering::Relaxed),
            inflated_bytes: self.inflated.load(Ordering::Relaxed),
        }
    }

    /// The compressed form of a whole data frame of ours, or the same bytes where that would not
    /// be smaller, or is not worth the time.
    #[must_use]
    pub fn frame(&self, frame: &Bytes) -> Bytes {
        let (opcode, plain) = payload(frame);
        if !(DEFLATE_FROM_BYTES..=DEFLATE_TO_BYTES).contains(&plain.len()) {
            return frame.clone();
        }
        let Some(compressed) = compressed(plain) else {
            return frame.clone();
        };
        self.before.fetch_add(size(plain), Ordering::Relaxed);
        self.after.fetch_add(size(&compressed), Ordering::Relaxed);
        compressed_frame(opcode, &compressed)
    }

    /// The whole payload of a message that came compressed.
    ///
    /// # Errors
    /// [`Violation::TooBig`] once there are more than `bytes_max`, whatever is still to come;
    /// [`Violation::BadDeflate`] for bytes that are no whole compressed message.
    pub(super) fn inflate(&self, message: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
        let inflated = DECOMPRESS.with_borrow_mut(|kept| {
            let zlib = kept.get_or_insert_with(|| Decompress::new(false));
            inflate(zlib, message, bytes_max)
        })?;
        self.received.fetch_add(size(message), Ordering::Relaxed);
        self.inflated.fetch_add(size(&inflated), Ordering::Relaxed);
        Ok(inflated)
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length in memory")
}

/// `plain` compressed and without its tail; `None` unless that is smaller.
fn compressed(plain: &[u8]) -> Option<Vec<u8>> {
    // What does not fit here is not smaller: zlib then stops early instead of growing anything.
    let mut compressed = vec![0; plain.len() + TAIL.len()];
    let (taken, made) = COMPRESS.with_borrow_mut(|kept| {
        let zlib = kept.get_or_insert_with(|| Compress::new(Compression::new(LEVEL), false));
        zlib.reset();
        let status = zlib.compress(plain, &mut compressed, FlushCompress::Sync);
        status.ok().map(|_| (zlib.total_in(), zlib.total_out()))
    })?;
    // A full buffer may hide that the flush is not over.
    if taken != size(plain) || made >= size(&compressed) {
        return None;
    }
    compressed.truncate(usize::try_from(made).expect("within the buffer"));
    compressed.ends_with(&TAIL).then(|| {
        compressed.truncate(compressed.len() - TAIL.len());
        compressed
    })
}

fn inflate(zlib: &mut Decompress, message: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
    zlib.reset(false);
    let mut inflated = Vec::new();
    let mut piece = [0; PIECE_BYTES];
    for (part, is_end) in [(message, false), (END.as_slice(), true)] {
        let mut rest = part;
        loop {
            let (taken, made) = (zlib.total_in(), zlib.total_out());
            let status = zlib
                .decompress(rest, &mut piece, FlushDecompress::None)
                .map_err(|_corrupt| Violation::BadDeflate)?;
            let taken = usize::try_from(zlib.total_in() - taken).expect("within the piece");
            let made = usize::try_from(zlib.total_out() - made).expect("within the piece");
            rest = &rest[taken..];
            if inflated.len() + made > bytes_max {
                return Err(Violation::TooBig);
            }
            inflated.extend_from_slice(&piece[..made]);
            match status {
                Status::StreamEnd if is_end && rest.is_empty() => return Ok(inflated),
                // A sender may end its blocks and begin anew (section 7.2.3.4).
                Status::StreamEnd => zlib.reset(false),
                Status::Ok | Status::BufError if taken == 0 && made == 0 => break,
                Status::Ok | Status::BufError => {}
            }
        }
        if !rest.is_empty() {
            return Err(Violation::BadDeflate);
        }
    }
    Err(Violation::BadDeflate)
}
