//! The matrix: every command by everybody in every standing, as docs/protocol.md says.
//!
//! Each cell is lived through on a ledger of its own: the actor is brought to the standing by
//! commands, then tries the command of the row. The tables in section 4 are written by hand; a cell
//! that differs fails here, and so does a command that no row names.

use std::collections::BTreeSet;

use chinwag_core::answer;
use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::deed::Deed;
use chinwag_core::event::Mention;
use chinwag_core::ids::{Epoch, InviteToken, Key, Millis, RoomId, Seq, UserId};
use chinwag_core::invite::InviteHash;
use chinwag_core::ledger::Ledger;
use chinwag_core::own::OwnChange;
use chinwag_core::room::{MemberState, Role, RoomKind};
use chinwag_core::session::Query;
use chinwag_core::wire::{Profile, ServerFrame};

use crate::{ANN, BOB, CAROL};

/// Banned from the room in which the matrix is lived through.
const DAVE: UserId = UserId([4; 16]);
/// Never in it.
const EVE: UserId = UserId([5; 16]);

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");

/// What the link of Ann's invitation holds.
const TOKEN: InviteToken = InviteToken([7; 16]);

/// What a row lets somebody try, whichever way it goes.
enum Try {
    Command(Command),
    Deed(Deed),
    Own(OwnChange),
    Question(Query),
}

/// A room with Ann as its owner, Bob as a member and Carol in the standing of the column.
struct Stage {
    ledger: Ledger,
    room: RoomId,
    keys: u64,
}

impl Stage {
    fn new(kind: RoomKind, standing: &str) -> Self {
        let mut ledger = Ledger::new(Epoch([1; 16]));
        for id in [ANN, BOB, CAROL, DAVE, EVE] {
            let name = format!("{id}");
            let version = 1;
            ledger.put_profile(Profile {
                id,
                name,
                version,
                display_name: None,
                avatar: None,
            });
        }
        let mut stage = Self {
            ledger,
            room: RoomId([0; 16]),
            keys: 0,
        };
        if kind == RoomKind::Direct {
            let other = if standing == "stranger" { BOB } else { CAROL };
            stage.room = RoomId::direct(ANN, other);
            stage.done(ANN, Command::Direct { user: other });
            stage.done(ANN, Command::say(stage.room, "another's"));
            if standing == "member" {
                stage.done(CAROL, Command::say(stage.room, "one's own"));
            }
            return stage;
        }
        stage.room = stage.done(ANN, Command::open(kind, "Kitchen"));
        let room = stage.room;
        let add = |user| Command::Add { room, user };
        stage.done(ANN, add(BOB));
        stage.done(ANN, add(DAVE));
        let (user, on) = (DAVE, true);
        stage.done(ANN, Command::Ban { room, user, on });
        let invite = Deed::invite(room, None, None);
        let hash = InviteHash::of(TOKEN);
        let made = stage.ledger.perform(ANN, &invite, hash, Millis(0));
        assert!(made.is_ok(), "{made:?}");
        if standing != "stranger" {
            stage.done(ANN, add(CAROL));
        }
        stage.done(ANN, Command::say(room, "another's"));
        if standing != "stranger" {
            stage.done(CAROL, Command::say(room, "one's own"));
        }
        let user = CAROL;
        let role = |role| Command::SetRole { room, user, role };
        match standing {
            "owner" => stage.done(ANN, role(Role::Owner)),
            "admin" => stage.done(ANN, role(Role::Admin)),
            "reader" => stage.done(ANN, role(Role::Reader)),
            "muted" => stage.done(ANN, Command::Mute { room, user, on }),
            "left" => stage.done(CAROL, Command::Leave { room }),
            "invited" => {
                stage.done(ANN, Command::Remove { room, user });
                stage.done(ANN, Command::InviteUser { room, user })
            }
            "removed" => stage.done(ANN, Command::Remove { room, user }),
            "banned" => stage.done(ANN, Command::Ban { room, user, on }),
            "member" | "stranger" => room,
            other => panic!("{other} is no standing"),
        };
        stage
    }

    fn one(&mut self, from: UserId, command: Command) -> Outcome {
        self.keys += 1;
        let key = Key(u128::from(self.keys).to_be_bytes());
        let item = Submission { from, key, command };
        self.ledger.append(&[item], Millis(0)).outcomes[0]
    }

    fn done(&mut self, from: UserId, command: Command) -> RoomId {
        let words = format!("{command:?}");
        match self.one(from, command) {
            Outcome::Done(ack) => ack.room,
            other => panic!("{words}: {other:?}"),
        }
    }

    /// The newest message of somebody.
    fn message_of(&self, user: UserId) -> Seq {
        let all = chinwag_core::room::Range {
            from: Seq(1),
            to: Seq(u64::MAX),
        };
        let log = self.ledger.range(self.room, all, usize::MAX);
        let spoken = log.iter().filter(|event| event.body.is_message());
        let mut theirs = spoken.filter(|event| event.from.0 == user);
        theirs.next_back().map_or(Seq(1), |event| event.seq)
    }

    /// What Carol is answered when she tries what the row says.
    fn try_row(&mut self, row: &str) -> (&'static str, String) {
        let what = self.what(row);
        let named = name(&what);
        let refused = |code: chinwag_core::code::ErrorCode| format!("`{}`", code.text());
        let found = match what {
            Try::Command(command) => match self.one(CAROL, command) {
                Outcome::Done(_) => "yes".to_owned(),
                Outcome::Refused(code) => refused(code),
                Outcome::Replayed(_) => "found".to_owned(),
                Outcome::NotLast(last) => panic!("nothing was asked of {last}"),
            },
            Try::Deed(deed) => {
                let drawn = InviteHash([9; 32]);
                let done = self.ledger.perform(CAROL, &deed, drawn, Millis(0));
                done.map_or_else(refused, |_change| "yes".to_owned())
            }
            Try::Own(change) => {
                let done = self.ledger.own(CAROL, &change);
                done.map_or_else(refused, |_owned| "yes".to_owned())
            }
            Try::Question(query) => {
                let Ok(frame) = answer::reply(&self.ledger, CAROL, 1, query, Millis(0));
                match frame {
                    ServerFrame::Error { code, .. } => refused(code),
                    _answered => "yes".to_owned(),
                }
            }
        };
        (named, found)
    }

    fn what(&self, row: &str) -> Try {
        let room = self.room;
        match row {
            "`join` by invitation" => Try::Command(Command::Join {
                room,
                invite: Some(InviteHash::of(TOKEN)),
            }),
            "`invite`" => Try::Deed(Deed::invite(room, None, None)),
            "`revoke_invite`" => Try::Deed(Deed::RevokeInvite {
                room,
                invite: InviteHash::of(TOKEN).id(),
            }),
            "`invites`" => Try::Question(Query::Invites { room }),
            "`edits`" => Try::Question(Query::Edits {
                room,
                target: self.message_of(ANN),
                after: None,
            }),
            "`hide`" => Try::Own(OwnChange::Hide {
                room,
                target: self.message_of(ANN),
                on: true,
            }),
            "`hidden`" => Try::Question(Query::Hidden { room }),
            "`members`" => Try::Question(Query::Members {
                room,
                state: MemberState::Joined,
                after: None,
            }),
            "`members`, `banned`" => Try::Question(Query::Members {
                room,
                state: MemberState::Banned,
                after: None,
            }),
            "`invitation`" => Try::Question(Query::Invitation { token: TOKEN }),
            row => Try::Command(self.command(row)),
        }
    }

    /// The command of a row, as Carol would give it.
    fn command(&self, row: &str) -> Command {
        let room = self.room;
        let (own, another) = (self.message_of(CAROL), self.message_of(ANN));
        let text = "new".to_owned();
        let role = |role| Command::SetRole {
            room,
            user: BOB,
            role,
        };
        match row {
            "`send`" => Command::say(room, "x"),
            "`send` that mentions `room`" => Command::Send {
                room,
                body: text.into(),
                reply_to: None,
                mentions: vec![Mention::Room],
                if_last: None,
            },
            "`edit` one's own" => Command::Edit {
                room,
                target: own,
                body: text.into(),
            },
            "`redact` one's own" => Command::Redact { room, target: own },
            "`redact` another's" => Command::Redact {
                room,
                target: another,
            },
            "`react`" => Command::React {
                room,
                target: another,
                emoji: "x".into(),
                on: true,
            },
            "`pin`" => Command::Pin {
                room,
                target: another,
                on: true,
            },
            "`configure`" => Command::Configure {
                room,
                name: Some(text),
                topic: None,
                avatar: None,
            },
            "`join`" => Command::join(room),
            "`leave`" => Command::Leave { room },
            "`add`" => Command::Add { room, user: EVE },
            "`invite_user`" => Command::InviteUser { room, user: EVE },
            "`remove` a member" => Command::Remove { room, user: BOB },
            "`remove` an owner" => Command::Remove { room, user: ANN },
            "`ban` a member" => Command::Ban {
                room,
                user: BOB,
                on: true,
            },
            "`ban`, `on: false`" => Command::Ban {
                room,
                user: DAVE,
                on: false,
            },
            "`role` to `reader`" => role(Role::Reader),
            "`role` to `admin`" => role(Role::Admin),
            "`mute` a member" => Command::Mute {
                room,
                user: BOB,
                on: true,
            },
            "`create`" => Command::open(RoomKind::Group, "x"),
            "`direct`" => Command::Direct { user: EVE },
            other => panic!("{other} is no row"),
        }
    }
}

/// The name under which a command stands in the tables. A new one does not compile before it is
/// named here, and fails before it has a row.
fn name(what: &Try) -> &'static str {
    match what {
        Try::Command(command) => command_name(command),
        Try::Deed(Deed::Invite { .. }) => "invite",
        Try::Deed(Deed::RevokeInvite { .. }) => "revoke_invite",
        Try::Deed(Deed::Rate { .. }) => panic!("no command of a room"),
        Try::Question(Query::Invites { .. }) => "invites",
        Try::Question(Query::Invitation { .. }) => "invitation",
        Try::Question(Query::Edits { .. }) => "edits",
        Try::Question(Query::Hidden { .. }) => "hidden",
        Try::Question(Query::Members { .. }) => "members",
        Try::Own(OwnChange::Hide { .. }) => "hide",
        Try::Own(other) => panic!("{other:?} has no row"),
        Try::Question(other) => panic!("{other:?} has no row"),
    }
}

fn command_name(command: &Command) -> &'static str {
    match command {
        Command::Send { .. } => "send",
        Command::Edit { .. } => "edit",
        Command::Redact { .. } => "redact",
        Command::React { .. } => "react",
        Command::Pin { .. } => "pin",
        Command::Configure { .. } => "configure",
        Command::Create { .. } => "create",
        Command::Direct { .. } => "direct",
        Command::Join { .. } => "join",
        Command::Leave { .. } => "leave",
        Command::Add { .. } => "add",
        Command::InviteUser { .. } => "invite_user",
        Command::Remove { .. } => "remove",
        Command::Ban { .. } => "ban",
        Command::SetRole { .. } => "role",
        Command::Mute { .. } => "mute",
    }
}

const NAMES: [&str; 24] = [
    "send",
    "edit",
    "redact",
    "react",
    "pin",
    "configure",
    "create",
    "direct",
    "join",
    "leave",
    "add",
    "remove",
    "ban",
    "role",
    "mute",
    "invite",
    "revoke_invite",
    "invites",
    "invitation",
    "invite_user",
    "edits",
    "hide",
    "hidden",
    "members",
];

/// The rows of the table behind `<!-- policy:KIND -->`: the standings, then for each command what
/// is answered in each of them.
fn table(document: &str, kind: &str) -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let begin = format!("<!-- policy:{kind} -->\n");
    let from = document.find(&begin).expect("the table is there") + begin.len();
    let lines = document[from..]
        .lines()
        .take_while(|line| line.starts_with('|'));
    let mut rows = lines.map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    });
    let head = rows.next().expect("a head").split_off(1);
    let rows = rows.skip(1).map(|mut row| {
        let cells = row.split_off(1);
        (row.remove(0), cells)
    });
    (head, rows.collect())
}

#[test]
fn everybody_may_do_what_the_tables_say_and_nothing_else() {
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/protocol.md");
    let mut named = BTreeSet::new();
    let mut differ = Vec::new();
    let mut cells = 0;
    let kinds = [
        ("group", RoomKind::Group),
        ("public", RoomKind::Public),
        ("direct", RoomKind::Direct),
    ];
    for (word, kind) in kinds {
        let (standings, rows) = table(&document, word);
        for (row, written) in rows {
            assert_eq!(written.len(), standings.len(), "{word}: {row}");
            for (standing, written) in standings.iter().zip(written) {
                let standing = standing.trim_matches('`');
                let mut stage = Stage::new(kind, standing);
                let (name, found) = stage.try_row(&row);
                named.insert(name);
                cells += 1;
                if found != written {
                    differ.push(format!("{word}, {row}, {standing}: {found}, not {written}"));
                }
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
    assert_eq!(named, BTreeSet::from(NAMES), "every command has a row");
    assert_eq!(cells, 670, "no table has lost a row");
}
