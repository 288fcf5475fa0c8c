//! Who is called what, and which processes of consumers are as good as each other.
//!
//! Assignors go by the order of members' ids. Where an id says which process has it, no two processes are alike. Where
//! it says who came first ([`BY_ARRIVAL`]), nothing in the coordinator or among the consumers tells one process from
//! another, and states that differ only in which is which are one. Static members have names of their own.

use crate::shared::{Shared, digest};
use highwater_spec::group::MemberId;
use highwater_spec::values::Ticket;
use std::collections::BTreeMap;
use std::hash::Hash;

/// In place of a consumer's number, where ids are given in the order in which they are asked for.
pub(super) const BY_ARRIVAL: u8 = 0;

/// The id that a consumer was given as its nth, counted from 0; or that was given as the nth of all.
pub(super) fn id_of(member: u8, id: u8) -> MemberId {
    MemberId::from(called(member, id).as_str())
}

/// The same, as people read it. Ids that are given by arrival are in that order, up to 99 of them.
pub(super) fn called(member: u8, id: u8) -> String {
    match member {
        BY_ARRIVAL => format!("m{:02}", id + 1),
        _ => format!("c{member}.{id}"),
    }
}

/// In place of an id that was not given yet.
pub(super) fn no_one() -> MemberId {
    MemberId::from("no one")
}

/// A digest of processes, each with what of it waits at the coordinator, in no order. `of` tells whose something is that
/// waits (no one's if its connection has broken), and what else there is to know about it.
pub(super) fn crowd<N: Hash, W, M: Hash>(
    nodes: &[Shared<N>],
    waiting: &BTreeMap<Ticket, W>,
    of: impl Fn(&W) -> (Option<usize>, &M),
) -> u64 {
    let waits = |node: Option<usize>| -> Vec<(Ticket, &M)> {
        let each = waiting.iter().map(|(ticket, waiting)| (*ticket, of(waiting)));
        each.filter(|(_, (whose, _))| *whose == node).map(|(ticket, (_, what))| (ticket, what)).collect()
    };
    let one = |(at, node): (usize, &Shared<N>)| digest(&(node.digest(), waits(Some(at))));
    let mut each: Vec<_> = nodes.iter().enumerate().map(one).collect();
    each.sort_unstable();
    digest(&(each, waits(None)))
}

/// Calls processes by other numbers: the one that is first in `order` is the first from now on. Numbers that there are
/// not are left out.
#[cfg(test)]
pub(super) fn renumber<'a, N>(
    nodes: &mut Vec<Shared<N>>,
    mentioned: impl Iterator<Item = &'a mut Option<usize>>,
    order: &[usize],
) {
    let order: Vec<_> = order.iter().copied().filter(|at| *at < nodes.len()).collect();
    *nodes = order.iter().map(|at| nodes[*at].clone()).collect();
    mentioned.for_each(|node| *node = node.and_then(|node| order.iter().position(|at| *at == node)));
}

#[cfg(test)]
mod tests {
    use super::{crowd, renumber};
    use crate::engine::Explorable;
    use crate::group::{self, members};
    use crate::shared::Shared;
    use highwater_spec::rules::Rules;
    use highwater_spec::values::Ticket;
    use std::collections::{BTreeMap, BTreeSet};

    /// What else is in a state mostly tells whose a ticket is, so that worlds do not show whether it counts.
    #[test]
    fn it_counts_whose_a_ticket_is_and_not_which_number_that_has() {
        let of = |nodes: [char; 2], waiting: [(u32, Option<usize>); 2]| {
            let waiting: BTreeMap<_, _> = waiting.map(|(ticket, whose)| (Ticket(ticket), whose)).into();
            crowd(&nodes.map(Shared::new), &waiting, |whose| (*whose, &()))
        };
        let one = of(['a', 'b'], [(0, Some(0)), (1, Some(1))]);
        assert_eq!(one, of(['b', 'a'], [(0, Some(1)), (1, Some(0))]));
        assert_ne!(one, of(['a', 'b'], [(0, Some(1)), (1, Some(0))]));
        assert_ne!(one, of(['a', 'b'], [(0, Some(0)), (1, None)]));
    }

    /// Every state that a world reaches, as far as it tells them apart.
    fn reached<W: Explorable>(world: &W) -> Vec<W::State> {
        let (mut seen, mut found, mut next) = (BTreeSet::new(), vec![world.initial()], 0);
        seen.insert(world.fingerprint(&found[0]));
        while let Some(state) = found.get(next).cloned() {
            let mut events = Vec::new();
            world.candidates(&state, &mut events);
            let after = events.iter().filter_map(|event| world.apply(&state, event));
            found.extend(after.filter(|after| seen.insert(world.fingerprint(after))));
            next += 1;
        }
        found
    }

    /// How many states there are if one may call processes by any numbers, and how many a symmetric world tells apart.
    fn counted<W: Explorable>(raw: &W, symmetric: &W, renamed: impl Fn(&W::State, &[usize]) -> W::State) -> [usize; 2] {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let least = |state: &W::State| orders.iter().map(|order| raw.fingerprint(&renamed(state, order))).min();
        [reached(raw).iter().map(least).collect::<BTreeSet<_>>().len(), reached(symmetric).len()]
    }

    fn of_classic(bounds: group::Bounds) -> [usize; 2] {
        let bounds = group::Bounds { by_arrival: 1, partitions: 1, ..bounds };
        let world = |raw| group::World::new(Rules::KAFKA, group::Bounds { raw, ..bounds });
        counted(&world(1), &world(0), |state, order| {
            let mut renamed = state.clone();
            renumber(&mut renamed.nodes, renamed.waiting.values_mut().map(|waiting| &mut waiting.node), order);
            renamed
        })
    }

    fn of_members(bounds: members::Bounds) -> [usize; 2] {
        let bounds = members::Bounds { by_arrival: 1, ..bounds };
        let world = |raw| members::World::new(Rules::KAFKA, members::Bounds { raw, ..bounds });
        counted(&world(1), &world(0), |state, order| state.renumbered(order))
    }

    #[test]
    fn states_are_one_that_differ_in_numbers_and_no_others() {
        let quiet = group::Bounds::QUIET;
        let bounds = [
            group::Bounds { crashes: 1, ..quiet },
            group::Bounds { breaks: 1, same_instance: 1, ..quiet },
            group::Bounds { moves: 1, late_commits: 1, ..quiet },
            group::Bounds { members: 3, records: 0, ..quiet },
        ];
        for bounds in bounds {
            let [orbits, states] = of_classic(bounds);
            assert_eq!(orbits, states, "{bounds:?}");
        }
        let quiet = members::Bounds::QUIET;
        let bounds = [
            members::Bounds { crashes: 1, ..quiet },
            members::Bounds { records: 1, breaks: 1, partitions: 1, ..quiet },
            members::Bounds { moves: 1, late_commits: 1, ..quiet },
            members::Bounds { members: 3, partitions: 1, ..quiet },
        ];
        for bounds in bounds {
            let [orbits, states] = of_members(bounds);
            assert_eq!(orbits, states, "{bounds:?}");
        }
    }
}
