//! The server over the wire: one coded outcome for each thing that a client can do, right or wrong.
//!
//! A node in this process, raw frames over loopback, and for what only a process can show, the
//! program itself. What the pure state machines decide in time (deadlines, heartbeats) is tested
//! in `core` with simulated time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/wire.rs"]
mod support;

#[path = "wire/asked.rs"]
mod asked;
#[path = "wire/avatars.rs"]
mod avatars;
#[path = "wire/bad_input.rs"]
mod bad_input;
#[path = "wire/behind.rs"]
mod behind;
#[path = "wire/binary.rs"]
mod binary;
#[path = "wire/clock.rs"]
mod clock;
#[path = "wire/codes.rs"]
mod codes;
#[path = "wire/connecting.rs"]
mod connecting;
#[path = "wire/conversation.rs"]
mod conversation;
#[path = "wire/disk.rs"]
mod disk;
#[path = "wire/ending.rs"]
mod ending;
#[path = "wire/erased_by_halves.rs"]
mod erased_by_halves;
#[path = "wire/erasing.rs"]
mod erasing;
#[path = "wire/exporting.rs"]
mod exporting;
#[path = "wire/exposition.rs"]
mod exposition;
#[path = "wire/hidden.rs"]
mod hidden;
#[path = "wire/invites.rs"]
mod invites;
#[path = "wire/limits.rs"]
mod limits;
#[path = "wire/markers.rs"]
mod markers;
#[path = "wire/messages.rs"]
mod messages;
#[path = "wire/metrics.rs"]
mod metrics;
#[path = "wire/outcomes.rs"]
mod outcomes;
#[path = "wire/own.rs"]
mod own;
#[path = "wire/presence.rs"]
mod presence;
#[path = "wire/process.rs"]
mod process;
#[path = "wire/profile.rs"]
mod profile;
#[path = "wire/rates.rs"]
mod rates;
#[path = "wire/reading.rs"]
mod reading;
#[path = "wire/receipts.rs"]
mod receipts;
#[path = "wire/rooms.rs"]
mod rooms;
#[path = "wire/sending.rs"]
mod sending;
#[path = "wire/sessions.rs"]
mod sessions;
#[path = "wire/typing.rs"]
mod typing;
#[path = "wire/unavailable.rs"]
mod unavailable;
