//! What is generated from the code: the SDK's `wire.ts`, and the tables of docs/protocol.md.
//!
//! Each test rewrites its file and fails if it was different, so that a stale one cannot pass.

#[path = "../tests/support/write.rs"]
mod write;

use ts_rs::{Config, TS};

use crate::avatar::Avatar;
use crate::code::{CloseCode, ComeBack, ErrorCode};
use crate::codec::binary;
use crate::event::{
    Author, Body, Content, DamagedBody, Event, MemberBody, Mention, OpaqueBody, OpaqueBytes,
    PinBody, ReactionBody, RedactBody, RoleBody, RoomBody, SettingsBody, TextBody,
};
use crate::fold::Folded;
use crate::ids::{
    AvatarId, DeviceId, Epoch, InviteId, InviteToken, Key, Millis, Position, RoomId, Seq,
    SessionId, UserId,
};
use crate::limits;
use crate::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use crate::wire::{
    Blocks, ClientFrame, Cursor, Daily, DirectoryRow, EditRow, Hidden, InviteRow, Item, Last, Me,
    Notify, NotifyLevel, Person, Profile, PublicLimits, Reset, ResetWhy, RoomRow, ServerFrame,
    Settings, Skip, Standing,
};

#[test]
fn wire_ts() {
    let config = Config::default();
    let mut text = String::from(
        "// Generated from crates/core by `cargo test -p chinwag-core generated`. Do not edit.\n",
    );
    macro_rules! types {
        ($($name:ty),* $(,)?) => {
            $(
                text.push_str("\nexport ");
                text.push_str(<$name as TS>::decl(&config).trim());
                text.push('\n');
            )*
        };
    }
    types!(
        RoomId,
        UserId,
        DeviceId,
        SessionId,
        Key,
        Epoch,
        Seq,
        Millis,
        Position,
        RoomKind,
        Role,
        MemberState,
        HistoryFrom,
        SkipWhy,
        ErrorCode,
        Author,
        Mention,
        RoomBody,
        MemberBody,
        TextBody,
        OpaqueBytes,
        OpaqueBody,
        Content,
        RedactBody,
        ReactionBody,
        SettingsBody,
        RoleBody,
        PinBody,
        DamagedBody,
        Body,
        Event,
        Folded,
        Profile,
        DirectoryRow,
        PublicLimits,
        NotifyLevel,
        Notify,
        Daily,
        Blocks,
        Hidden,
        Me,
        RoomRow,
        Last,
        Cursor,
        Skip,
        Item,
        ResetWhy,
        Reset,
        Settings,
        Standing,
        Person,
        InviteId,
        InviteToken,
        InviteRow,
        EditRow,
        AvatarId,
        Avatar,
        ClientFrame,
        ServerFrame,
    );
    // ts-rs leaves blanks at line ends.
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    write::generate("sdk/src/wire.ts", &(lines.join("\n") + "\n"));
}

/// Replaces what stands between the marker of `name` and the next end marker.
fn replace(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- generated:{name} -->");
    let from = text
        .find(&begin)
        .unwrap_or_else(|| panic!("{begin} is in docs/protocol.md"));
    let from = from + begin.len();
    let to = from + text[from..].find("<!-- end -->").expect("an end marker");
    format!("{}\n{table}{}", &text[..from], &text[to..])
}

#[test]
fn protocol_tables() {
    let path = "docs/protocol.md";
    let text = write::read(path);
    let mut errors = String::from("| `code` | again later? | meaning |\n|---|---|---|\n");
    for code in ErrorCode::ALL {
        let again = if code.retryable() { "yes" } else { "no" };
        errors += &format!("| `{}` | {again} | {} |\n", code.text(), code.meaning());
    }
    let mut closes = String::from("| code | reason | come back | meaning |\n|---|---|---|---|\n");
    for code in CloseCode::ALL {
        let back = match ComeBack::of(code.number()) {
            ComeBack::Soon => "soon",
            ComeBack::Later => "later",
            ComeBack::WithToken => "with a token",
            ComeBack::Never => "never",
        };
        let (number, reason) = (code.number(), code.reason());
        closes += &format!("| {number} | {reason} | {back} | {} |\n", code.meaning());
    }
    let mut bounds = String::from("| limit | value | beyond it |\n|---|---|---|\n");
    for (name, value, outcome) in limits::table() {
        bounds += &format!("| `{name}` | {value} | {outcome} |\n");
    }
    let [client, server] = binary::tables().map(|frames| {
        let mut table = String::from("| | frame | fields |\n|---|---|---|\n");
        for (number, name, fields) in frames {
            let fields = if fields.is_empty() { "–" } else { &fields };
            table += &format!("| {number} | `{name}` | {fields} |\n");
        }
        table
    });
    let text = replace(&text, "binary-client", &client);
    let text = replace(&text, "binary-server", &server);
    let text = replace(&text, "errors", &errors);
    let text = replace(&text, "closes", &closes);
    write::generate(path, &replace(&text, "limits", &bounds));
}
