//! Examples about people and what is theirs alone.

use chinwag_core::ids::Millis;
use chinwag_core::wire::{Blocks, ClientFrame, Daily, Notify, NotifyLevel, ServerFrame, Settings};

use crate::server::row;
use crate::{ANN, BOB, ROOM};

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
    ]
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
