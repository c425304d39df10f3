//! Any frame about what one has hidden from oneself.

use chinwag_core::wire::{ClientFrame, ServerFrame};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::parts::{number, room, seq};

pub(crate) fn client() -> impl Strategy<Value = ClientFrame> {
    let all = (number(), room(), of(seq()), any::<bool>());
    all.prop_map(|(req, room, target, on)| match target {
        Some(target) => ClientFrame::Hide {
            req,
            room,
            target,
            on,
        },
        None => ClientFrame::Hidden { req, room },
    })
}

pub(crate) fn server() -> impl Strategy<Value = ServerFrame> {
    let all = (of(number()), room(), vec(seq(), 0..4), number());
    all.prop_map(|(req, room, seqs, version)| ServerFrame::Hidden {
        req,
        room,
        seqs,
        version,
    })
}
