//! Rates that administrators have set for single people.

use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::ids::Millis;
use chinwag_core::invite::InviteHash;
use chinwag_core::rate::Rate;

use super::{Subject, contract, user};

contract!(a_rate_is_kept_until_it_is_taken_back);

async fn rate(subject: &Subject, who: u8, rate: Option<Rate>) -> Result<Change, ErrorCode> {
    let user_id = user(who);
    let deed = Deed::Rate {
        user: user_id,
        rate,
    };
    let done = subject
        .store()
        .perform(user(1), deed, InviteHash([0; 32]), Millis(1_000));
    done.await.expect("the store takes writes")
}

async fn a_rate_is_kept_until_it_is_taken_back(mut subject: Subject) {
    let much = Rate {
        thousandths_per_second: 10_000_000,
        burst: 10_000,
    };
    let little = Rate {
        thousandths_per_second: 1,
        burst: 1,
    };
    for (who, set, expected) in [
        (3, Some(much), vec![(user(3), much)]),
        (2, Some(much), vec![(user(2), much), (user(3), much)]),
        (3, Some(little), vec![(user(2), much), (user(3), little)]),
        (2, None, vec![(user(3), little)]),
        (2, None, vec![(user(3), little)]),
    ] {
        let done = rate(&subject, who, set).await;
        assert_eq!(done, Ok(Change::Rated(user(who), set)));
        subject.reopen();
        assert_eq!(subject.read(|view| view.rates()).await, expected);
    }
    for set in [Some(much), None] {
        let nobody = rate(&subject, 200, set).await;
        assert_eq!(nobody, Err(ErrorCode::NotFound));
    }
}
