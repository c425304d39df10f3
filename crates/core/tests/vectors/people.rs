//! Examples about people and what is theirs alone.

use chinwag_core::avatar::Avatar;
use chinwag_core::ids::{AvatarId, Millis};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{
    Blocks, ClientFrame, Daily, DirectoryRow, Notify, NotifyLevel, Profile, ServerFrame, Settings,
};

use crate::server::row;
use crate::{ANN, BOB, KEY, ROOM};

const AVATAR: AvatarId = AvatarId(*b"a dot, and black");

const TIME: Millis = Millis(1_795_324_500_000);

pub(crate) fn client() -> Vec<(&'static str, ClientFrame)> {
    vec![
        (
            "settings, do not disturb",
            ClientFrame::Settings {
                req: 34,
                hide_last_seen: None,
                hide_online: None,
                hide_receipts: None,
                dnd_until: Some(TIME),
                dnd_daily: Some(Daily {
                    from: 1_320,
                    to: 420,
                }),
            },
        ),
        (
            "notify",
            ClientFrame::Notify {
                req: 35,
                room: ROOM,
                level: Some(NotifyLevel::Mentions),
                quiet_until: Some(TIME),
            },
        ),
        (
            "block",
            ClientFrame::Block {
                req: 36,
                user: BOB,
                on: true,
            },
        ),
        (
            "profile",
            ClientFrame::Profile {
                req: 37,
                display_name: Some("Ann Lee 李".into()),
                avatar: Some(Avatar(Some(AVATAR))),
            },
        ),
        (
            "profile, taken away",
            ClientFrame::Profile {
                req: 38,
                display_name: Some(String::new()),
                avatar: Some(Avatar(None)),
            },
        ),
        (
            "configure, a picture",
            ClientFrame::Configure {
                req: 39,
                key: KEY,
                room: ROOM,
                name: None,
                topic: None,
                avatar: Some(Avatar(Some(AVATAR))),
            },
        ),
        (
            "configure, no picture any more",
            ClientFrame::Configure {
                req: 40,
                key: KEY,
                room: ROOM,
                name: None,
                topic: None,
                avatar: Some(Avatar(None)),
            },
        ),
    ]
}

/// Ann, who has chosen how to be shown.
fn shown() -> Profile {
    Profile {
        id: ANN,
        name: "ann".into(),
        version: 4,
        display_name: Some("Ann Lee 李".into()),
        avatar: Some(AVATAR),
    }
}

fn notify() -> Notify {
    Notify {
        level: NotifyLevel::Nothing,
        quiet_until: Some(TIME),
        version: 3,
    }
}

pub(crate) fn server() -> Vec<(&'static str, ServerFrame)> {
    let mut quiet = row();
    quiet.peer = Some(BOB);
    quiet.me.notify = Some(notify());
    let mut pictured = row();
    pictured.avatar = Some(AVATAR);
    vec![
        (
            "settings, do not disturb",
            ServerFrame::Settings(Settings {
                hide_last_seen: false,
                hide_online: false,
                hide_receipts: false,
                version: 4,
                dnd_until: Some(TIME),
                dnd_daily: Some(Daily {
                    from: 1_320,
                    to: 420,
                }),
            }),
        ),
        (
            "notify",
            ServerFrame::Notify {
                room: ROOM,
                notify: notify(),
            },
        ),
        (
            "blocks",
            ServerFrame::Blocks {
                users: vec![ANN, BOB],
                version: 2,
            },
        ),
        (
            "summary, blocks",
            ServerFrame::Summary {
                rooms: Vec::new(),
                new: 0,
                all: false,
                reset: None,
                more: false,
                settings: None,
                blocks: Some(Blocks {
                    users: Vec::new(),
                    version: 3,
                }),
                profile: None,
            },
        ),
        ("profile", ServerFrame::Profile { user: shown() }),
        (
            "profiles, shown",
            ServerFrame::Profiles {
                req: 37,
                users: vec![shown()],
            },
        ),
        (
            "summary, profile",
            ServerFrame::Summary {
                rooms: Vec::new(),
                new: 0,
                all: false,
                reset: None,
                more: false,
                settings: None,
                blocks: None,
                profile: Some(shown()),
            },
        ),
        (
            "event, a picture for the room",
            ServerFrame::Event(crate::server::settings_event(Some(Avatar(Some(AVATAR))))),
        ),
        (
            "event, no picture any more",
            ServerFrame::Event(crate::server::settings_event(Some(Avatar(None)))),
        ),
        (
            "room, with a picture",
            ServerFrame::Room {
                req: 38,
                row: pictured,
            },
        ),
        (
            "directory, with a picture",
            ServerFrame::Directory {
                req: 39,
                rooms: vec![DirectoryRow {
                    room: ROOM,
                    name: "Tea & talk".into(),
                    members: 2,
                    avatar: Some(AVATAR),
                }],
                more: false,
            },
        ),
        (
            "invitation, with a picture",
            ServerFrame::Invitation {
                req: 40,
                room: ROOM,
                kind: RoomKind::Group,
                name: Some("Kitchen".into()),
                topic: None,
                members: 3,
                avatar: Some(AVATAR),
            },
        ),
        (
            "room, quiet",
            ServerFrame::Room {
                req: 36,
                row: quiet,
            },
        ),
    ]
}
