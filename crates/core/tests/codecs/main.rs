//! Both forms of the frames say the same: what is encoded in one and in the other is read back as
//! the same frame, and noise never panics.

mod client;
mod messages;
mod parts;
mod rooms;
mod server;

use chinwag_core::codec::{self, binary};
use chinwag_core::wire::ServerFrame;
use proptest::prelude::*;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("JSON is UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn client_frames_are_the_same_in_both_forms(frame in client::any_frame()) {
        let json = codec::encode(&frame);
        let bytes = binary::encode_client(&frame);
        let frame = Ok(frame);
        prop_assert_eq!(&codec::decode(text(&json)), &frame);
        prop_assert_eq!(&binary::decode(&bytes), &frame);
    }

    #[test]
    fn server_frames_are_the_same_in_both_forms(frame in server::any_frame()) {
        let json = codec::encode(&frame);
        prop_assert_eq!(&codec::decode_server(text(&json)).expect("good JSON"), &frame);
        let bytes = binary::encode(&frame);
        prop_assert_eq!(binary::decode_server(&bytes), Ok(frame.clone()));
        if let ServerFrame::Event(event) = &frame {
            prop_assert_eq!(binary::encode_event(event), bytes);
        }
    }

    /// Whatever the bytes, there is an answer and no panic.
    #[test]
    fn noise_gets_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _answer = binary::decode(&bytes);
        let _answer = binary::decode_server(&bytes);
    }

    /// A frame with some bytes changed, or cut short, gets further than noise does. What is read
    /// can be said again.
    #[test]
    fn a_damaged_frame_gets_an_answer(
        frame in client::any_frame(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = binary::encode_client(&frame).to_vec();
        // Of the frame as it was: a damaged one may announce fewer fields than follow.
        let short = &bytes[..length.index(bytes.len())];
        prop_assert!(binary::decode(short).is_err(), "a frame is no beginning of another");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = binary::decode(&bytes) {
            let again = binary::encode_client(&read);
            prop_assert_eq!(binary::decode(&again), Ok(read));
        }
    }

    #[test]
    fn a_damaged_server_frame_gets_an_answer(
        frame in server::any_frame(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = binary::encode(&frame).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _answer = binary::decode_server(&bytes);
    }
}
