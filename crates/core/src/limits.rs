//! Every bound of the product, by name: what is bounded, in which unit, and what happens at it.
//!
//! Contract 9 fixes the public ones; docs/protocol.md lists them from [`table`].

/// Text of one message, in bytes of UTF-8. Beyond: `too_long`.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// An opaque body, in bytes: as base64url, with everything that may stand beside it in a frame, it
/// fits [`FRAME_BYTES_MAX`]. Beyond: `too_long`.
pub const OPAQUE_BYTES_MAX: usize = 45 * 1024;
/// The name of what made an opaque body, in bytes. Beyond: `bad_field`.
pub const ENC_BYTES_MAX: usize = 32;
/// Payload of one frame from a client, in bytes. Beyond: close 1009.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Frames of one message from a client, empty ones too. Beyond: close 1008.
pub const FRAGMENTS_MAX: u32 = 64;
/// Pings and pongs from a client per second, steadily, and at once after silence. Beyond: close
/// 1008.
pub const CONTROL_FRAMES_PER_SECOND: u32 = 20;
/// Nesting of JSON in a frame. Beyond: `bad_frame`.
pub const JSON_DEPTH_MAX: usize = 16;
/// Members of a room. Beyond: `room_full`.
pub const MEMBERS_MAX: usize = 10_000;
/// Rooms of a user. Beyond: `too_many_rooms`.
pub const ROOMS_PER_USER_MAX: usize = 5_000;
/// Live connections of a user on one node. Beyond: close 4105.
pub const CONNECTIONS_PER_USER_MAX: usize = 32;
/// Commands of a connection that wait for their reply. Beyond: the socket is not read.
pub const IN_FLIGHT_MAX: usize = 64;
/// Refused commands of a connection that keep their order. Beyond: those keep none.
pub const REFUSED_KEYS_MAX: usize = 1_024;
/// Events or messages of a page unless asked otherwise.
pub const PAGE_DEFAULT: usize = 50;
/// Events or messages of a page at most. More is cut to this.
pub const PAGE_MAX: usize = 200;
/// Open rooms in `hello`, `sync` and `ping`. Beyond: `bad_field`.
pub const OPEN_ROOMS_MAX: usize = 32;
/// Missed events of one room from which it is reset instead of streamed.
pub const STREAM_EVENTS_MAX: u64 = 1_000;
/// Rooms that an erased account goes out of in one transaction. The next follows.
pub const ERASE_ROOMS_MAX: usize = 100;
/// Events of an erased account that one transaction looks at, to take them back. The next follows.
pub const ERASE_EVENTS_MAX: usize = 200;
/// Events of a room that one read looks through for those of one person. The next follows.
pub const ERASE_SCAN_MAX: u64 = 8_192;
/// Folded messages in a `reset`.
pub const RESET_MESSAGES: usize = 50;
/// Bytes that wait for one socket. Beyond: `behind`.
pub const OUTBOX_BYTES_MAX: usize = 256 * 1024;
/// Rows of one `summary` frame; more follow in the next.
pub const SUMMARY_ROWS_MAX: usize = 100;
/// Profiles asked for at once. Beyond: `bad_field`.
pub const PROFILES_MAX: usize = 200;
/// Name of a room or a person, in user-perceived characters. Beyond: `too_long`.
pub const NAME_GRAPHEMES_MAX: usize = 64;
/// Name of a room or a person, in bytes: a few graphemes can be kilobytes. Beyond: `too_long`.
pub const NAME_BYTES_MAX: usize = 512;
/// People and rooms that one message mentions. Beyond: `bad_field`.
pub const MENTIONS_MAX: usize = 50;
/// Members of a group up to which anybody mentions it as a whole. Beyond: those who look after it.
pub const MENTIONED_BY_ALL_MAX: usize = 256;
/// Edits of one message, and as many times it is pinned or unpinned. Beyond: `too_many`.
pub const ALTERATIONS_MAX: u64 = 100;
/// Reactions put on or taken off one message, by all together. Beyond: `too_many`.
pub const REACTIONS_MAX: u64 = 2_000;
/// Different reactions that one message has had. Beyond: `too_many`.
pub const REACTION_KINDS_MAX: usize = 50;
/// Bytes of one reaction: a user-perceived character, however it is put together. Beyond:
/// `too_long`.
pub const REACTION_BYTES_MAX: usize = 64;
/// Pinned messages of a room. Beyond: `too_many`.
pub const PINS_MAX: usize = 50;
/// Open invitations of a room. Beyond: `too_many`.
pub const INVITES_MAX: usize = 50;
/// Rooms into which somebody is asked by name and has not answered. Beyond: `too_many_rooms`.
pub const INVITED_TO_MAX: usize = 500;
/// For how long an invitation is good. Beyond: `bad_field`.
pub const INVITE_LIFE_MAX_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
/// For how long it is good unless said otherwise.
pub const INVITE_LIFE_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// How many people an invitation lets in, and unless said otherwise. Beyond: `bad_field`.
pub const INVITE_USES_MAX: u64 = MEMBERS_MAX as u64;
/// What a look at an invitation or at a list of them costs, in thousandths of a message. Beyond:
/// `rate_limited`.
pub const LOOK_COST_THOUSANDTHS: u32 = 500;
/// A room's topic, in user-perceived characters. Beyond: `too_long`.
pub const TOPIC_GRAPHEMES_MAX: usize = 250;
/// A room's topic, in bytes. Beyond: `too_long`.
pub const TOPIC_BYTES_MAX: usize = 2_000;
/// Bytes of an uploaded picture. Beyond: `too_long`.
pub const AVATAR_BYTES_MAX: usize = 64 * 1024;
/// Pixels of a picture in a row or column. Beyond: `bad_field`.
pub const AVATAR_SIDE_MAX: u32 = 512;
/// Pictures of one user that are uploaded and not used. Beyond: `too_many`.
pub const AVATAR_UPLOADS_MAX: usize = 8;
/// For how long a picture that nobody uses is kept after its upload. Beyond: it is deleted.
pub const AVATAR_UNUSED_MS: i64 = 60 * 60 * 1_000;
/// Uploads that are swept away in one transaction. Beyond: the next one.
pub const AVATAR_SWEEP_MAX: usize = 64;
/// Pictures that a user fetches per second, steadily. Beyond: `rate_limited`.
pub const AVATARS_PER_SECOND: u32 = 20;
/// Pictures that a user fetches at once, after silence. Beyond: `rate_limited`.
pub const AVATARS_BURST: u32 = 400;
/// How many fetches an upload costs.
pub const AVATAR_UPLOAD_COST: u32 = 20;
/// People whose fetches of pictures are counted. Beyond: the count begins anew.
pub const AVATAR_RATES_MAX: usize = 16_384;

/// People whom one user blocks. Beyond: `too_many`.
pub const BLOCKS_MAX: usize = 1_000;
/// Messages of one room that one user has deleted for themselves alone. Beyond: `too_many`.
pub const HIDDEN_MAX: usize = 1_000;
/// Of those, the newest that stand in the room's row. Beyond: `more`.
pub const HIDDEN_IN_ROW_MAX: usize = 50;
/// Unread messages are counted exactly up to this, then "999+".
pub const UNREAD_MAX: u64 = 999;
/// Rooms above this size have no delivered markers for others (contract 6).
pub const RECEIPT_MEMBERS_MAX: usize = 256;
/// Between two `receipt` frames about a room (contract 6).
pub const RECEIPT_EVERY_MS: u64 = 100;
/// Rooms with receipts that wait, or were told a moment ago. Beyond: they are not told; whoever
/// opens the room asks.
pub const RECEIPT_ROOMS_MAX: usize = 16_384;
/// Rooms whose receipts are looked up in one read: other readers have their turn in between.
pub const RECEIPT_BATCH_MAX: usize = 64;
/// Lines of what was marked at once in which authors are looked for, the newest.
pub const RECEIPT_LINES_MAX: usize = 200;
/// Steps of a marker whose time is known. Beyond: when older messages were read is not told.
pub const TRAIL_STEPS_MAX: usize = 32;
/// Steps of a marker within so long are one.
pub const TRAIL_STEP_MS: i64 = 1_000;

/// Rooms that a connection looks at. Beyond: `bad_field`.
pub const WATCHED_ROOMS_MAX: usize = 32;
/// Members of a room up to which presence is told by name; above, only how many are online.
pub const PRESENCE_NAMED_MEMBERS_MAX: u32 = 256;
/// After the last connection is gone, a user stays online for so long.
pub const PRESENCE_GRACE_MS: u64 = 30_000;
/// Users whose connections are gone and who are still online. Beyond: who went first is offline.
pub const PRESENCE_LEAVING_MAX: usize = 65_536;
/// Times of going offline that wait to be stored. Beyond: the store keeps an older one.
pub const SEEN_WAITING_MAX: usize = 16_384;
/// Between two `presence` or two `typing` frames about a room to a connection.
pub const EPHEMERAL_EVERY_MS: u64 = 50;
/// The same in rooms of more than [`PRESENCE_NAMED_MEMBERS_MAX`] members.
pub const EPHEMERAL_EVERY_LARGE_MS: u64 = 1_000;
/// Without a repeated `typing`, somebody has stopped.
pub const TYPING_MS: u64 = 6_000;
/// Somebody who goes on typing is told again after so long, not sooner.
pub const TYPING_AGAIN_MS: u64 = 2_500;
/// People who type in a room at the same time. Beyond: they are not told.
pub const TYPISTS_MAX: usize = 64;
/// Names of them that are told in a room of more than [`PRESENCE_NAMED_MEMBERS_MAX`] members; the
/// others are counted.
pub const TYPISTS_NAMED_LARGE_MAX: usize = 3;
/// What `typing` costs, in thousandths of a message. Beyond: it is dropped.
pub const TYPING_COST_THOUSANDTHS: u32 = 250;
/// What `watch` and `who` cost, in thousandths of a message. Beyond: `rate_limited`.
pub const WATCH_COST_THOUSANDTHS: u32 = 500;

/// Messages of a user per second, steadily.
pub const RATE_PER_SECOND: u32 = 10;
/// Messages of a user at once, after silence.
pub const RATE_BURST: u32 = 20;

/// Questions of a user per second, steadily, for each message that they may send in one.
pub const QUESTIONS_PER_MESSAGE: u32 = 20;
/// Questions of a user at once, for each message that they may send at once.
pub const QUESTIONS_AT_ONCE_PER_MESSAGE: u32 = 300;
/// Questions of a user at once, at least: one for each room that they may be in, and some more.
pub const QUESTIONS_AT_ONCE_MIN: u32 = 6_000;
/// What a question about one room or person costs, in questions. Beyond: `rate_limited`.
pub const QUESTION_COST: u32 = 1;
/// What a page of a room's log or people costs, in questions. Beyond: `rate_limited`.
pub const PAGE_COST: u32 = 2;
/// What a page of the directory costs, in questions: it is the same for everybody, and long.
/// Beyond: `rate_limited`.
pub const DIRECTORY_COST: u32 = 5;
/// What `sync` costs, in questions: it looks at all of one's rooms. Beyond: `rate_limited`.
pub const SYNC_COST: u32 = 50;
/// Messages per second of all who share an address, in those of one user: an office of some
/// hundreds of people behind one router does not meet it.
pub const ADDRESS_RATE_TIMES: u32 = 20;
/// Messages at once of all who share an address, in those of one user.
pub const ADDRESS_BURST_TIMES: u32 = 50;
/// Users, and addresses, whose rate is kept after they have gone, until it would be full again.
/// Beyond: the longest gone begins anew.
pub const RATES_KEPT_MAX: usize = 16_384;
/// Users for whom an administrator has set another rate. Beyond: `too_many`.
pub const RATES_SET_MAX: usize = 10_000;
/// Messages per second, and at once, that an administrator gives. Beyond: `bad_field`.
pub const RATE_SET_MAX: u32 = 10_000;

/// From connecting to a valid `hello`. Beyond: close 4103.
pub const HELLO_DEADLINE_MS: u64 = 10_000;
/// Between protocol pings.
pub const HEARTBEAT_MS: u64 = 30_000;
/// Without any sign of life. Beyond: close 4001.
pub const DEAD_MS: u64 = 45_000;
/// Between protocol pings to a client of low bandwidth.
pub const LOW_BANDWIDTH_HEARTBEAT_MS: u64 = 120_000;
/// Without any sign of life of a client of low bandwidth. Beyond: close 4001.
pub const LOW_BANDWIDTH_DEAD_MS: u64 = 150_000;
/// Bytes of neighbouring events, roughly, that are handed to their receivers as one piece. Beyond:
/// the next piece.
pub const RUN_BYTES_MAX: usize = 32 * 1024;
/// For how long frames to a client of low bandwidth wait for others, to leave together.
pub const BATCH_WINDOW_MS: u64 = 100;
/// Bytes that wait at most for the end of that time. Beyond: they leave at once.
pub const BATCH_BYTES_MAX: usize = 64 * 1024;
/// Notice before a token ends: `token_expiring`.
pub const TOKEN_NOTICE_MS: u64 = 60_000;
/// For a `sync` after `behind`. Beyond: close 4102.
pub const BEHIND_SYNC_MS: u64 = 30_000;
/// Times a socket may fall behind within [`BEHIND_WINDOW_MS`]; the next one closes it (4102).
pub const BEHIND_TIMES_MAX: usize = 2;
/// The window of [`BEHIND_TIMES_MAX`].
pub const BEHIND_WINDOW_MS: u64 = 60_000;

/// How long a gap waits for the bus before it is read from the store.
pub const GAP_WAIT_MS: u64 = 30;
/// Pause between attempts to read a gap while the store does not answer.
pub const FETCH_RETRY_MS: u64 = 500;
/// Events of one room held behind a gap. Beyond: they are dropped and read from the store later.
pub const HELD_EVENTS_MAX: usize = 256;
/// Events of rooms that nobody here has yet, kept while somebody connects.
pub const STASH_EVENTS_MAX: usize = 8_192;
/// Released events kept for connections that are still syncing.
pub const RING_EVENTS_MAX: usize = 16_384;
/// Their bytes.
pub const RING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The newest events of a room that are kept in memory, for history and sync. Older ones are read
/// from the store.
pub const RECENT_EVENTS_MAX: usize = 100;
/// Bytes of all rooms' newest events in memory. Beyond: the room that was longest unused goes.
pub const RECENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a read waits for another that loads the same room's newest events. Beyond: it reads
/// for itself.
pub const RECENT_WAIT_MS: u64 = 50;
/// Commands in one commit.
pub const BATCH_MAX: usize = 1_024;
/// Commands that wait for a commit. Beyond: `unavailable`.
pub const COMMIT_QUEUE_MAX: usize = 16_384;

/// The bounds that a client can meet, as name, value and outcome.
#[must_use]
pub fn table() -> Vec<(&'static str, u64, &'static str)> {
    let mut all = common();
    all.extend([
        ("invites", INVITES_MAX as u64, "`too_many`"),
        ("invite_life_ms", INVITE_LIFE_MAX_MS, "`bad_field`"),
        ("invite_uses", INVITE_USES_MAX, "`bad_field`"),
        ("invited_to", INVITED_TO_MAX as u64, "`too_many_rooms`"),
        ("avatar_bytes", AVATAR_BYTES_MAX as u64, "`too_long`"),
        ("avatar_side", u64::from(AVATAR_SIDE_MAX), "`bad_field`"),
        ("avatar_uploads", AVATAR_UPLOADS_MAX as u64, "`too_many`"),
        ("avatar_unused_ms", AVATAR_UNUSED_MS as u64, "deleted"),
        (
            "avatars_per_second",
            u64::from(AVATARS_PER_SECOND),
            "`rate_limited`",
        ),
        ("avatars_burst", u64::from(AVATARS_BURST), "`rate_limited`"),
        ("hidden", HIDDEN_MAX as u64, "`too_many`"),
    ]);
    all
}

fn common() -> Vec<(&'static str, u64, &'static str)> {
    vec![
        ("text_bytes", TEXT_BYTES_MAX as u64, "`too_long`"),
        ("opaque_bytes", OPAQUE_BYTES_MAX as u64, "`too_long`"),
        ("frame_bytes", FRAME_BYTES_MAX as u64, "close 1009"),
        ("fragments", u64::from(FRAGMENTS_MAX), "close 1008"),
        (
            "control_frames_per_second",
            u64::from(CONTROL_FRAMES_PER_SECOND),
            "close 1008",
        ),
        ("json_depth", JSON_DEPTH_MAX as u64, "`bad_frame`"),
        ("name_graphemes", NAME_GRAPHEMES_MAX as u64, "`too_long`"),
        ("name_bytes", NAME_BYTES_MAX as u64, "`too_long`"),
        ("topic_graphemes", TOPIC_GRAPHEMES_MAX as u64, "`too_long`"),
        ("topic_bytes", TOPIC_BYTES_MAX as u64, "`too_long`"),
        ("mentions", MENTIONS_MAX as u64, "`bad_field`"),
        (
            "mentioned_by_all",
            MENTIONED_BY_ALL_MAX as u64,
            "`forbidden`, but to administrators and owners",
        ),
        ("reaction_kinds", REACTION_KINDS_MAX as u64, "`too_many`"),
        ("reactions", REACTIONS_MAX, "`too_many`"),
        ("alterations", ALTERATIONS_MAX, "`too_many`"),
        ("reaction_bytes", REACTION_BYTES_MAX as u64, "`too_long`"),
        ("pins", PINS_MAX as u64, "`too_many`"),
        ("members", MEMBERS_MAX as u64, "`room_full`"),
        ("blocks", BLOCKS_MAX as u64, "`too_many`"),
        (
            "rooms_per_user",
            ROOMS_PER_USER_MAX as u64,
            "`too_many_rooms`",
        ),
        (
            "connections_per_user",
            CONNECTIONS_PER_USER_MAX as u64,
            "close 4105",
        ),
        (
            "in_flight",
            IN_FLIGHT_MAX as u64,
            "the socket is not read until a reply has gone out",
        ),
        ("page", PAGE_MAX as u64, "the page is cut"),
        ("open_rooms", OPEN_ROOMS_MAX as u64, "`bad_field`"),
        ("profiles", PROFILES_MAX as u64, "`bad_field`"),
        ("watched_rooms", WATCHED_ROOMS_MAX as u64, "`bad_field`"),
        (
            "presence_named_members",
            u64::from(PRESENCE_NAMED_MEMBERS_MAX),
            "presence is a count",
        ),
        ("presence_grace_ms", PRESENCE_GRACE_MS, "offline"),
        ("typing_ms", TYPING_MS, "has stopped typing"),
        ("typists", TYPISTS_MAX as u64, "the others are not told"),
        ("receipt_members", RECEIPT_MEMBERS_MAX as u64, "`too_many`"),
        ("receipt_every_ms", RECEIPT_EVERY_MS, "told together"),
        (
            "receipt_lines",
            RECEIPT_LINES_MAX as u64,
            "authors of older ones are not told",
        ),
        (
            "trail_steps",
            TRAIL_STEPS_MAX as u64,
            "when it was read is not told",
        ),
        ("outbox_bytes", OUTBOX_BYTES_MAX as u64, "`behind`"),
        ("stream_events", STREAM_EVENTS_MAX, "`reset` of that room"),
        ("rate_per_second", RATE_PER_SECOND as u64, "`rate_limited`"),
        ("rate_burst", RATE_BURST as u64, "`rate_limited`"),
        (
            "questions_per_second",
            u64::from(RATE_PER_SECOND * QUESTIONS_PER_MESSAGE),
            "`rate_limited`",
        ),
        (
            "questions_at_once",
            u64::from(QUESTIONS_AT_ONCE_MIN),
            "`rate_limited`",
        ),
        (
            "address_rate_per_second",
            u64::from(RATE_PER_SECOND * ADDRESS_RATE_TIMES),
            "`rate_limited`",
        ),
        (
            "address_rate_burst",
            u64::from(RATE_BURST * ADDRESS_BURST_TIMES),
            "`rate_limited`",
        ),
        ("hello_deadline_ms", HELLO_DEADLINE_MS, "close 4103"),
        ("dead_ms", DEAD_MS, "close 4001"),
        ("low_bandwidth_dead_ms", LOW_BANDWIDTH_DEAD_MS, "close 4001"),
        (
            "batch_window_ms",
            BATCH_WINDOW_MS,
            "what waits leaves together",
        ),
    ]
}
