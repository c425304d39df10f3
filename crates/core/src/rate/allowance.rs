//! What somebody may do in a while: messages, and questions beside them; by user and by address.
//!
//! Two buckets, so that no question ever makes a message wait. Nothing here refuses for good: what
//! is too much now is allowed after the wait that is named. Lifetime: see [`super::Pool`].

use super::{Bucket, Rate};
use crate::ids::Tick;
use crate::limits;

impl Rate {
    /// Questions for whoever has this rate of messages.
    #[must_use]
    pub fn questions(self) -> Self {
        let thousandths = self.thousandths_per_second;
        let burst = self
            .burst
            .saturating_mul(limits::QUESTIONS_AT_ONCE_PER_MESSAGE);
        Self {
            thousandths_per_second: thousandths.saturating_mul(limits::QUESTIONS_PER_MESSAGE),
            burst: burst.max(limits::QUESTIONS_AT_ONCE_MIN),
        }
    }

    /// For all who share an address, unless an operator says otherwise.
    #[must_use]
    pub fn of_address(self) -> Self {
        let thousandths = self.thousandths_per_second;
        Self {
            thousandths_per_second: thousandths.saturating_mul(limits::ADDRESS_RATE_TIMES),
            burst: self.burst.saturating_mul(limits::ADDRESS_BURST_TIMES),
        }
    }
}

/// The buckets of a user, or of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    rate: Rate,
    messages: Bucket,
    questions: Bucket,
}

impl Allowance {
    /// Full buckets.
    #[must_use]
    pub fn new(rate: Rate, now: Tick) -> Self {
        Self {
            rate,
            messages: Bucket::new(rate, now),
            questions: Bucket::new(rate.questions(), now),
        }
    }

    /// Messages in a while.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Another rate from now on. What has been taken stays taken, as far as the new buckets are
    /// as large.
    pub fn set(&mut self, rate: Rate, now: Tick) {
        self.rate = rate;
        self.messages.set(rate, now);
        self.questions.set(rate.questions(), now);
    }

    /// How many milliseconds it takes until all of it is full, as a new one is.
    #[must_use]
    pub fn rest_ms(&self, now: Tick) -> u64 {
        self.messages.rest_ms(now).max(self.questions.rest_ms(now))
    }
}

/// What a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// So many messages.
    Messages(u32),
    /// Thousandths of a message, of the half that is left to what is no message.
    Aside(u32),
    /// So many questions.
    Questions(u32),
}

/// Out of which buckets somebody pays: their own, and those of the address that they come from.
#[derive(Debug)]
pub struct Purse<'a> {
    own: &'a mut Allowance,
    address: Option<&'a mut Allowance>,
}

impl<'a> Purse<'a> {
    /// A user's buckets, and those of all who share their address.
    #[must_use]
    pub fn new(own: &'a mut Allowance, address: Option<&'a mut Allowance>) -> Self {
        Self { own, address }
    }

    /// The user's messages in a while.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.own.rate
    }

    /// Pays out of both, or out of neither.
    ///
    /// # Errors
    /// The wait in ms; nothing is taken then.
    pub fn pay(self, price: Price, now: Tick) -> Result<(), u64> {
        let before = *self.own;
        self.own.pay(price, now)?;
        let Some(address) = self.address else {
            return Ok(());
        };
        let paid = address.pay(price, now);
        if paid.is_err() {
            *self.own = before;
        }
        paid
    }
}

impl Allowance {
    fn pay(&mut self, price: Price, now: Tick) -> Result<(), u64> {
        match price {
            Price::Messages(count) => self.messages.take(count, now),
            Price::Aside(thousandths) => self.messages.take_aside(thousandths, now),
            Price::Questions(count) => self.questions.take(count, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Tick = Tick(0);

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate {
            thousandths_per_second: per_second * 1_000,
            burst,
        }
    }

    fn pay(
        own: &mut Allowance,
        address: &mut Allowance,
        price: Price,
        now: Tick,
    ) -> Result<(), u64> {
        Purse::new(own, Some(address)).pay(price, now)
    }

    #[test]
    fn many_accounts_of_one_address_are_one_address() {
        let mut address = Allowance::new(rate(10, 5), NOW);
        let mut people = [(); 4].map(|()| Allowance::new(rate(10, 3), NOW));
        let mut sent = 0;
        for _ in 0..3 {
            for own in &mut people {
                sent += u32::from(pay(own, &mut address, Price::Messages(1), NOW).is_ok());
            }
        }
        assert_eq!(sent, 5);
        // Whom the address kept waiting has lost nothing of their own.
        let last = pay(&mut people[3], &mut address, Price::Messages(1), NOW);
        assert_eq!(last, Err(100));
        for _ in 0..2 {
            assert_eq!(
                Purse::new(&mut people[3], None).pay(Price::Messages(1), NOW),
                Ok(())
            );
        }
        // Nor does one who is too quick take anything of the address.
        let mut quick = Allowance::new(rate(1, 1), Tick(500));
        assert!(pay(&mut quick, &mut address, Price::Messages(1), Tick(500)).is_ok());
        for _ in 0..50 {
            assert!(pay(&mut quick, &mut address, Price::Messages(1), Tick(500)).is_err());
        }
        let mut other = Allowance::new(rate(10, 9), Tick(500));
        for _ in 0..4 {
            assert!(pay(&mut other, &mut address, Price::Messages(1), Tick(500)).is_ok());
        }
    }

    #[test]
    fn questions_never_make_a_message_wait() {
        let mut own = Allowance::new(Rate::default(), NOW);
        let mut asked = 0;
        while Purse::new(&mut own, None)
            .pay(Price::Questions(1), NOW)
            .is_ok()
        {
            asked += 1;
        }
        // All rooms that somebody may be in, at once, with some more for each screen.
        assert!(asked >= limits::ROOMS_PER_USER_MAX + 1_000, "{asked}");
        for _ in 0..limits::RATE_BURST {
            assert_eq!(
                Purse::new(&mut own, None).pay(Price::Messages(1), NOW),
                Ok(())
            );
        }
        let wait = Purse::new(&mut own, None).pay(Price::Questions(1), NOW);
        assert_eq!(wait, Err(5), "a loop goes on at 200 a second");
        assert_eq!(
            Purse::new(&mut own, None).pay(Price::Questions(1), Tick(5)),
            Ok(())
        );
    }

    #[test]
    fn another_rate_holds_at_once_and_gives_nothing_away() {
        let mut own = Allowance::new(rate(10, 4), NOW);
        for _ in 0..4 {
            assert!(
                Purse::new(&mut own, None)
                    .pay(Price::Messages(1), NOW)
                    .is_ok()
            );
        }
        own.set(rate(100, 50), NOW);
        assert_eq!(own.rate(), rate(100, 50));
        assert_eq!(
            Purse::new(&mut own, None).pay(Price::Messages(1), NOW),
            Err(10)
        );
        let later = Tick(1_000);
        for _ in 0..50 {
            assert!(
                Purse::new(&mut own, None)
                    .pay(Price::Messages(1), later)
                    .is_ok()
            );
        }
        // What was gained at the old rate is gained; no bucket holds more than it may.
        own.set(rate(1, 2), Tick(2_000));
        for expected in [Ok(()), Ok(()), Err(1_000)] {
            let paid = Purse::new(&mut own, None).pay(Price::Messages(1), Tick(2_000));
            assert_eq!(paid, expected);
        }
    }
}
