//! Rooms and people that are full: the product's own numbers, reached in the store beforehand.

use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::ids::{Key, Millis, RoomId, UserId};
use chinwag_core::limits::{MEMBERS_MAX, ROOMS_PER_USER_MAX};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Profile;
use chinwag_server::store::Store as _;
use chinwag_server::store::sqlite::SqliteStore;
use serde_json::json;

use crate::support::{Node, Person, refused};

/// A number as a key or an id of its own kind.
fn bytes(kind: u8, number: usize) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
    bytes
}

async fn put_profiles(store: &SqliteStore, people: impl Iterator<Item = (UserId, String)>) {
    let puts = people.map(|(id, name)| {
        let version = 1;
        store.put_profile(Profile {
            id,
            name,
            version,
            display_name: None,
            avatar: None,
        })
    });
    // All at once: they share transactions.
    for put in futures_util::future::join_all(puts).await {
        put.unwrap();
    }
}

async fn append(store: &SqliteStore, from: UserId, commands: Vec<Command>) {
    let items = commands.into_iter().enumerate().map(|(number, command)| {
        let key = Key(bytes(0xc0, number));
        Submission { from, key, command }
    });
    let committed = store.append(items.collect(), Millis(5)).await.unwrap();
    let done = |outcome: &Outcome| matches!(outcome, Outcome::Done(_));
    assert!(committed.outcomes.iter().all(done));
}

fn create(name: String) -> Command {
    let kind = RoomKind::Public;
    Command::open(kind, name)
}

#[tokio::test]
async fn a_room_has_so_many_members_and_no_more() {
    let place = tempfile::tempdir().unwrap();
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let room = RoomId::created(ann.id, Key(bytes(0xc0, 0)));
    {
        let store = SqliteStore::open(&place.path().join("data")).unwrap();
        let crowd: Vec<UserId> = (1..MEMBERS_MAX)
            .map(|number| UserId(bytes(0xd0, number)))
            .collect();
        let people = crowd.iter().map(|user| (*user, user.to_string()));
        put_profiles(&store, people.chain([(ann.id, "Ann".to_owned())])).await;
        let mut commands = vec![create("Hall".to_owned())];
        commands.extend(crowd.into_iter().map(|user| Command::Add { room, user }));
        append(&store, ann.id, commands).await;
    }
    let node = Node::on(place, |_config| {}).await;
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let row = one.ask("room", json!({"room": room})).await;
    assert_eq!(row["row"]["members"], MEMBERS_MAX, "{row}");
    refused(
        &other.write("join", json!({"room": room})).await,
        "room_full",
    );
    let add = json!({"room": room, "user": bob.id});
    refused(&one.write("add", add.clone()).await, "room_full");
    // A place that becomes free is a place.
    let last = UserId(bytes(0xd0, MEMBERS_MAX - 1));
    one.write("remove", json!({"room": room, "user": last}))
        .await;
    let joined = other.write("join", json!({"room": room})).await;
    assert_eq!(joined["type"], "ack", "{joined}");
    node.stop().await;
}

#[tokio::test]
async fn a_person_is_in_so_many_rooms_and_no_more() {
    let place = tempfile::tempdir().unwrap();
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    {
        let store = SqliteStore::open(&place.path().join("data")).unwrap();
        put_profiles(&store, [(ann.id, "Ann".to_owned())].into_iter()).await;
        let rooms = 0..ROOMS_PER_USER_MAX;
        let commands = rooms
            .map(|number| create(format!("Room {number}")))
            .collect();
        append(&store, ann.id, commands).await;
    }
    let node = Node::on(place, |_config| {}).await;
    let (mut one, mut other) = (node.enter(&ann).await, node.enter(&bob).await);
    let new = json!({"kind": "group", "name": "One too many"});
    refused(&one.write("create", new.clone()).await, "too_many_rooms");
    let room = other.create("public").await;
    refused(
        &one.write("join", json!({"room": room})).await,
        "too_many_rooms",
    );
    // Nor is she dragged into one by others.
    let add = json!({"room": room, "user": ann.id});
    refused(&other.write("add", add).await, "too_many_rooms");
    let direct = json!({"user": ann.id});
    refused(&other.write("direct", direct).await, "too_many_rooms");
    let gone = RoomId::created(ann.id, Key(bytes(0xc0, 7)));
    one.write("leave", json!({"room": gone})).await;
    assert_eq!(one.write("create", new).await["type"], "ack");
    node.stop().await;
}
