//! Tickets: small numbers that stand for whoever waits for an answer.

use highwater_spec::values::Ticket;

/// Who waits, by ticket. A redeemed ticket is issued again later.
#[derive(Debug)]
pub struct Tickets<T> {
    holders: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Tickets<T> {
    /// None issued.
    pub fn new() -> Self {
        Self { holders: Vec::new(), free: Vec::new() }
    }

    /// A ticket for `holder`, unlike every other that is not redeemed yet.
    pub fn issue(&mut self, holder: T) -> Ticket {
        if let Some(number) = self.free.pop() {
            self.holders[number as usize] = Some(holder);
            return Ticket(number);
        }
        self.holders.push(Some(holder));
        Ticket(u32::try_from(self.holders.len() - 1).expect("fewer than 2^32 wait at once: each takes memory"))
    }

    /// Its holder, once.
    pub fn redeem(&mut self, ticket: Ticket) -> Option<T> {
        let holder = self.holders.get_mut(ticket.0 as usize)?.take()?;
        self.free.push(ticket.0);
        Some(holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_then_another_s() {
        let mut tickets = Tickets::new();
        let (a, b) = (tickets.issue("a"), tickets.issue("b"));
        assert_ne!(a, b);
        assert_eq!((tickets.redeem(a), tickets.redeem(a)), (Some("a"), None));
        let c = tickets.issue("c");
        assert_eq!((tickets.redeem(c), tickets.redeem(b)), (Some("c"), Some("b")));
    }
}
