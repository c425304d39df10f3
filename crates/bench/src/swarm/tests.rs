//! The swarm against a server of a few lines, and against the same with a mistake in it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::load::{Load, Pace, run};
use super::stamp::{is_stamped_before, leading_number};
use super::{Cut, Swarm};
use crate::dialect::{Dialect, Heard, upgrade_request};
use crate::machine::Watched;

/// Numbers and texts as they are.
struct Plain;

impl Dialect for Plain {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        upgrade_request("test", "/", None)
    }

    fn greet(&mut self, _user: usize) -> Vec<Vec<u8>> {
        vec![b"hello".to_vec()]
    }

    fn heard(&mut self, _user: usize, payload: &[u8], _answers: &mut Vec<Vec<u8>>) -> Heard {
        match payload {
            b"hello" => Heard::Ready,
            stamped if is_stamped_before(stamped, 0) => Heard::Delivery { behind: 0 },
            ack => leading_number(ack).map_or(Heard::Other, |(number, _)| Heard::Ack(number)),
        }
    }

    fn message(&mut self, _user: usize, _room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        to.extend_from_slice(format!("{number} {text}").as_bytes());
    }
}

/// How often the server sends a message to its sender, by its number.
type Copies = fn(u64) -> usize;

/// A server whose rooms have one member each.
fn serve(copies: Copies) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || talk(stream.unwrap(), copies));
        }
    });
    address
}

fn talk(mut stream: TcpStream, copies: Copies) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    stream.write_all(b"HTTP/1.1 101 Switching\r\n\r\n").ok()?;
    loop {
        let mut start = [0; 6];
        stream.read_exact(&mut start).ok()?;
        let mut payload = vec![0; usize::from(start[1] & 0x7f)];
        stream.read_exact(&mut payload).ok()?;
        let mask = start[2..].iter().cycle();
        payload
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
        let text = String::from_utf8(payload).unwrap();
        let answers = match text.split_once(' ') {
            None => vec![text],
            Some((number, text)) => {
                let copies = copies(number.parse().unwrap());
                std::iter::once(number.to_owned())
                    .chain(std::iter::repeat_n(text.to_owned(), copies))
                    .collect()
            }
        };
        for answer in answers {
            // In two parts, so that frames come in pieces.
            let mut frame = vec![0x81, answer.len() as u8];
            frame.extend(answer.as_bytes());
            let (one, other) = frame.split_at(frame.len() / 2);
            stream.write_all(one).ok()?;
            stream.write_all(other).ok()?;
        }
    }
}

/// What a short load of five people finds out about the server.
fn check(copies: Copies, pace: Pace) -> anyhow::Result<u64> {
    let mut swarm = Swarm::new(serve(copies), Plain, 5)?;
    swarm.connect(0..5, 2)?;
    let load = Load {
        pace,
        warm_up: Duration::ZERO,
        length: Duration::from_millis(30),
        ..Load::spread(5, 1, 5)
    };
    let outcome = run(&mut swarm, &load, &Watched::default())?;
    assert_eq!(swarm.counts().ready, 5);
    swarm.cut(0..5, Cut::Reset);
    assert_eq!(swarm.counts().ready, 0);
    Ok(outcome.ack.count())
}

#[test]
fn a_load_is_answered_and_delivered() {
    for pace in [Pace::Window(3), Pace::OneInAll, Pace::Rate(2_000.0)] {
        let acks = check(|_number| 1, pace).unwrap();
        assert!(acks >= 1, "{pace:?}: {acks}");
    }
}

#[test]
fn a_message_that_comes_twice_fails_the_run() {
    let twice: Copies = |number| if number == 1 { 2 } else { 1 };
    let error = check(twice, Pace::Window(2)).err().unwrap();
    assert!(
        format!("{error}").contains("messages of a room with"),
        "{error}"
    );
}
