//! What frames are made of: any ids, numbers, events and rows at all.

use chinwag_core::avatar::Avatar;
use chinwag_core::event::{
    Author, Body, Content, DamagedBody, Event, MemberBody, Mention, OpaqueBody, OpaqueBytes,
    PinBody, ReactionBody, RedactBody, RoleBody, RoomBody, SettingsBody,
};
use chinwag_core::fold::Folded;
use chinwag_core::ids::{
    AvatarId, DeviceId, Epoch, InviteId, InviteToken, Key, Millis, Position, RoomId, Seq,
    SessionId, UserId,
};
use chinwag_core::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use chinwag_core::wire::{
    Daily, Hidden, Me, Notify, NotifyLevel, Profile, ResetWhy, RoomRow, Skip,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, 0..1_u64 << 53]
}

pub(crate) fn seq() -> impl Strategy<Value = Seq> {
    number().prop_map(Seq)
}

pub(crate) fn millis() -> impl Strategy<Value = Millis> {
    prop_oneof![0..1_i64 << 53, -1_000..1_000_i64].prop_map(Millis)
}

pub(crate) fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(Position)
}

macro_rules! ids {
    ($($function:ident: $name:ident),*) => {$(
        pub(crate) fn $function() -> impl Strategy<Value = $name> {
            any::<[u8; 16]>().prop_map($name)
        }
    )*};
}
ids!(invite: InviteId, token: InviteToken, avatar: AvatarId);
ids!(room: RoomId, user: UserId, device: DeviceId, session: SessionId, key: Key, epoch: Epoch);

pub(crate) fn kind() -> impl Strategy<Value = RoomKind> {
    select(vec![RoomKind::Direct, RoomKind::Group, RoomKind::Public])
}

pub(crate) fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Reader, Role::Member, Role::Admin, Role::Owner])
}

pub(crate) fn state() -> impl Strategy<Value = MemberState> {
    select(vec![
        MemberState::Joined,
        MemberState::Left,
        MemberState::Removed,
        MemberState::Banned,
        MemberState::Invited,
    ])
}

pub(crate) fn history() -> impl Strategy<Value = HistoryFrom> {
    select(vec![HistoryFrom::Joining, HistoryFrom::Beginning])
}

pub(crate) fn why() -> impl Strategy<Value = ResetWhy> {
    select(vec![ResetWhy::Epoch, ResetWhy::History, ResetWhy::TooFar])
}

/// A text that may be sent.
pub(crate) fn text() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,40}x"
}

pub(crate) fn body() -> impl Strategy<Value = Body> {
    let all = (kind(), of(text()), history(), vec((user(), role()), 0..3));
    let made = all.prop_map(|(kind, name, history, members)| {
        Body::Room(RoomBody {
            kind,
            name,
            history,
            members,
        })
    });
    let member = (user(), state(), role(), of(any::<u32>()));
    let member = member.prop_map(|(user, state, role, members)| {
        Body::Member(MemberBody {
            user,
            state,
            role,
            members,
        })
    });
    let standing = (user(), role(), any::<bool>())
        .prop_map(|(user, role, muted)| Body::Role(RoleBody { user, role, muted }));
    let settings = (of(text()), of(text()), of(picture())).prop_map(|(name, topic, avatar)| {
        Body::Settings(SettingsBody {
            name,
            topic,
            avatar,
        })
    });
    let reaction =
        (text(), any::<bool>()).prop_map(|(emoji, on)| Body::Reaction(ReactionBody { emoji, on }));
    prop_oneof![
        made,
        member,
        reaction,
        standing,
        settings,
        any::<bool>().prop_map(|on| Body::Pin(PinBody { on })),
        content().prop_map(Body::Message),
        content().prop_map(Body::Edit),
        Just(Body::Redact(RedactBody {})),
        Just(Body::Damaged(DamagedBody {})),
    ]
}

/// Anything that a message may say.
pub(crate) fn content() -> impl Strategy<Value = Content> {
    let opaque = ("[a-z0-9._-]{1,32}", vec(any::<u8>(), 1..80));
    prop_oneof![
        text().prop_map(Content::from),
        opaque.prop_map(|(enc, bytes)| {
            let bytes = OpaqueBytes(bytes);
            Content::Opaque(OpaqueBody { enc, bytes })
        }),
    ]
}

pub(crate) fn hidden() -> impl Strategy<Value = Hidden> {
    (vec(seq(), 0..3), number(), any::<bool>()).prop_map(|(seqs, version, more)| Hidden {
        seqs,
        version,
        more,
    })
}

pub(crate) fn mentions() -> impl Strategy<Value = Vec<Mention>> {
    let one = prop_oneof![Just(Mention::Room), user().prop_map(Mention::User)];
    vec(one, 0..3)
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let head = (room(), seq(), number(), any::<u8>(), (user(), number()));
    let about = (of(seq()), of(seq()), mentions());
    (head, key(), millis(), about, body()).prop_map(
        |((room, seq, msg_no, v, (user, version)), key, ts, about, body)| Event {
            room,
            seq,
            msg_no,
            v,
            from: Author(user, version),
            key,
            ts,
            target: about.0,
            reply_to: about.1,
            mentions: about.2,
            body,
        },
    )
}

pub(crate) fn folded() -> impl Strategy<Value = Folded> {
    let reactions = vec((text(), user()), 0..3);
    let all = (event(), of(seq()), of(seq()), reactions, any::<bool>());
    all.prop_map(|(event, edited, redacted, reactions, hidden)| Folded {
        event,
        edited,
        redacted,
        reactions,
        hidden,
    })
}

pub(crate) fn skip() -> impl Strategy<Value = Skip> {
    let whys = select(vec![
        SkipWhy::BeforeJoin,
        SkipWhy::NotMember,
        SkipWhy::Purged,
    ]);
    (room(), seq(), seq(), whys).prop_map(|(room, from, to, why)| Skip {
        room,
        from,
        to,
        why,
    })
}

pub(crate) fn row() -> impl Strategy<Value = RoomRow> {
    let head = (room(), kind(), of(text()), of(user()), history());
    let numbers = (seq(), number(), seq(), any::<u32>());
    let me = (
        (state(), role(), any::<bool>()),
        (seq(), seq(), seq()),
        (number(), number()),
        (of(notify()), of(hidden())),
    );
    let more = (of(text()), vec(seq(), 0..3), of(avatar()));
    (head, numbers, me, more).prop_map(
        |((room, kind, name, peer, history), (head, msg_no, floor, members), me, more)| RoomRow {
            room,
            kind,
            name,
            topic: more.0,
            peer,
            history,
            head,
            msg_no,
            floor,
            members,
            pins: more.1,
            avatar: more.2,
            me: Me {
                state: me.0.0,
                role: me.0.1,
                muted: me.0.2,
                since: me.1.0,
                delivered: me.1.1,
                read: me.1.2,
                unread: me.2.0,
                mentions: me.2.1,
                notify: me.3.0,
                hidden: me.3.1,
            },
        },
    )
}

pub(crate) fn level() -> impl Strategy<Value = NotifyLevel> {
    use NotifyLevel::{All, Mentions, Nothing};
    select(vec![All, Mentions, Nothing])
}

pub(crate) fn notify() -> impl Strategy<Value = Notify> {
    let all = (level(), of(millis()), number());
    all.prop_map(|(level, quiet_until, version)| Notify {
        level,
        quiet_until,
        version,
    })
}

pub(crate) fn daily() -> impl Strategy<Value = Daily> {
    let minute = || 0..Daily::MINUTES;
    (minute(), minute()).prop_map(|(from, to)| Daily { from, to })
}

/// A time that a client may choose.
pub(crate) fn chosen() -> impl Strategy<Value = Millis> {
    (0i64..1 << 53).prop_map(Millis)
}

/// A choice of picture: one, or none.
pub(crate) fn picture() -> impl Strategy<Value = Avatar> {
    of(avatar()).prop_map(Avatar)
}

pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    let all = (user(), text(), number(), of(text()), of(avatar()));
    all.prop_map(|(id, name, version, display_name, avatar)| Profile {
        id,
        name,
        version,
        display_name,
        avatar,
    })
}
