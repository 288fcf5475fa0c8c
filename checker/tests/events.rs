//! Every event reads back as it is printed, in every kind of world.

use highwater_checker::catalog::WORLDS;
use highwater_checker::kind::{Kind, Visitor};
use highwater_checker::museum;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::Scenario;

/// Reads back what may happen in the first states of a world, and counts it.
struct ReadBack;

impl Visitor for ReadBack {
    type Answer = usize;

    fn visit<W: Kind>(self, world: &W) -> usize {
        let (mut states, mut seen) = (vec![world.initial()], 0);
        for nth in 0..200 {
            let Some(state) = states.get(nth).cloned() else { break };
            let mut events = Vec::new();
            world.candidates(&state, &mut events);
            for event in events {
                assert_eq!(read_back::<W>(&event), event);
                states.extend(world.apply(&state, &event));
                seen += 1;
            }
        }
        seen
    }
}

fn read_back<W: Kind>(event: &W::Event) -> W::Event {
    let text = format!("highwater scenario 1\nworld {}\nrules KAFKA\n\n> {event}\n", W::KIND);
    let parsed: Scenario = text.parse().expect("an event is a line");
    let step = parsed.steps().next().expect("one step");
    W::read_event(&step.input).unwrap_or_else(|error| panic!("{event}: {}", error.message))
}

#[test]
fn events_read_back_as_they_are_printed() {
    let worlds = WORLDS.iter().map(|entry| entry.model(Rules::KAFKA, &[]));
    let worlds = worlds.chain(museum::all().map(|exhibit| exhibit.broken.model(None, &[])));
    for world in worlds {
        let world = world.expect("no bounds are changed");
        let seen = world.visit(ReadBack);
        assert!(seen > 100, "{seen} events of {world:?}");
    }
}
