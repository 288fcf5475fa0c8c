//! State × event matrices of the small machines, as tables that a reader can check against Kafka's.
//!
//! `UPDATE_EXPECT=1 cargo test -p highwater-spec --test matrices` writes them anew.

#[path = "support/table.rs"]
mod table;

use expect_test::{ExpectFile, expect_file};
use highwater_spec::broker::{self, Broker, Stage};
use highwater_spec::controller::*;
use highwater_spec::log::{EpochEntry, Found, recover};
use highwater_spec::machine::{Carrier, Machine};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{self, *};
use highwater_spec::rules::Rules;
use highwater_spec::values::*;
use std::sync::Arc;
use table::Table;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Test;

impl Carrier for Test {
    type Bytes = u8;
    type Stamp = u8;
}

const ME: BrokerId = BrokerId(1);
const RULES: &Rules = &Rules::KAFKA;
const P: TopicPartition = TopicPartition { topic: TopicId([0; 16]), index: 0 };

fn check(tables: &[String], expected: ExpectFile) {
    expected.assert_eq(&tables.join("\n\n"));
}

const FACTS: [&str; 6] = ["caught up", "wants fence", "wants shutdown", "was shutting down", "leads", "others know"];

fn facts(bits: usize) -> HeartbeatFacts {
    let is = |fact: usize| bits & (1 << fact) != 0;
    HeartbeatFacts {
        is_caught_up: is(0),
        wants_fence: is(1),
        wants_shutdown: is(2),
        was_shutting_down: is(3),
        leads: is(4),
        others_know: is(5),
    }
}

/// Each state's table has a column for each fact that ever makes a difference in it, so none is left out unseen.
// Verifies: controller.broker.next-state, controller.broker.no-return
#[test]
fn the_next_state_of_a_broker() {
    use BrokerState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
    let tables = [Fenced, Unfenced, ControlledShutdown, ShutdownNow].map(|now| {
        let next = |bits| next_broker_state(now, &facts(bits));
        let matters = |fact: &usize| (0..64).any(|bits| next(bits) != next(bits ^ (1 << fact)));
        let relevant: Vec<_> = (0..6).filter(matters).collect();
        let mut table = Table::default();
        table.row(relevant.iter().map(|fact| FACTS[*fact]).chain(["next state"]));
        for combination in 0..1_usize << relevant.len() {
            let place = |(index, fact): (usize, &usize)| ((combination >> index) & 1) << fact;
            let bits = relevant.iter().enumerate().map(place).sum();
            let said = relevant.iter().map(|fact| if bits & (1 << fact) != 0 { "yes" } else { "no" });
            table.row(said.map(str::to_owned).chain([format!("{:?}", next(bits))]));
        }
        table.text(&format!("{now:?}: a heartbeat says"))
    });
    check(&tables, expect_file!["snapshots/broker_state.txt"]);
}

fn set<const N: usize>(ids: [i32; N]) -> Brokers {
    ids.into_iter().map(BrokerId).collect()
}

fn stepped(replica: &mut Replica<Test>, input: replica::Input<Test>) -> Vec<replica::Output<Test>> {
    let mut out = Vec::new();
    replica.step(RULES, input, &mut out);
    out
}

/// b1 leads b2 and b3 in e3, p5; b1 and b2 are in sync.
fn leader() -> Replica<Test> {
    let (epochs, producers) = Default::default();
    let found = Found { start: Offset(0), end: Offset(0), epochs, high_watermark: Offset(0), producers };
    let mut replica = Replica::new(ME, recover(found));
    let peer = |id| Peer { broker: BrokerId(id), epoch: BrokerEpoch(0), active: true };
    stepped(
        &mut replica,
        replica::Input::Assigned(Assignment {
            leader: Some(ME),
            leader_epoch: LeaderEpoch(3),
            partition_epoch: PartitionEpoch(5),
            replicas: set([1, 2, 3]),
            isr: set([1, 2]),
            min_insync_replicas: 1,
            peers: vec![peer(2), peer(3)],
            at: 0,
        }),
    );
    replica
}

fn proposed(replica: &mut Replica<Test>, input: replica::Input<Test>) -> IsrProposal {
    let proposal = |output| if let replica::Output::ProposeIsr(proposal) = output { Some(proposal) } else { None };
    stepped(replica, input).into_iter().find_map(proposal).unwrap()
}

/// The leader, and the proposal that is answered: the one under way, or one of long ago.
fn isr_states() -> [(&'static str, Replica<Test>, IsrProposal); 3] {
    let mut expanding = leader();
    let fetch = FollowerFetch {
        replica: BrokerId(3),
        broker_epoch: Some(BrokerEpoch(0)),
        leader_epoch: Some(LeaderEpoch(3)),
        offset: Offset(0),
        last_fetched_epoch: None,
        at: 1,
    };
    let expansion = proposed(&mut expanding, replica::Input::FollowerFetched(fetch));
    let mut shrinking = leader();
    let produce = Produce { ticket: Ticket(0), acks: Acks::Leader, count: 1, producer: None, bytes: 0 };
    stepped(&mut shrinking, replica::Input::Produced(vec![produce]));
    let shrinkage = proposed(&mut shrinking, replica::Input::TimerFired(replica::Timer::Lag(BrokerId(2))));
    [
        ("Committed {b1,b2}", leader(), expansion.clone()),
        ("Pending {b1,b2} to {b1,b2,b3}", expanding, expansion),
        ("Pending {b1,b2} to {b1}", shrinking, shrinkage),
    ]
}

fn isr_cell(before: &Replica<Test>, after: &Replica<Test>, out: &[replica::Output<Test>]) -> String {
    let (old, new) = (before.leader().unwrap(), after.leader().unwrap());
    let mut said = match &new.isr {
        _ if (old, before.partition_epoch()) == (new, after.partition_epoch()) => vec!["stays".to_owned()],
        Isr::Committed(isr) => vec![format!("Committed {isr} {}", after.partition_epoch().unwrap())],
        Isr::Pending { .. } => vec!["Pending".to_owned()],
    };
    if before.high_watermark() != after.high_watermark() {
        said.push(format!("high watermark {}", after.high_watermark()));
    }
    let again = out.iter().any(|output| matches!(output, replica::Output::ProposeIsr(_)));
    said.extend(again.then(|| "proposes again".to_owned()));
    said.join(", ")
}

// Verifies: replica.isr.answer
#[test]
fn an_answer_to_a_proposed_isr() {
    use Refusal::*;
    let state = |leader_epoch, partition_epoch| {
        move |isr: Brokers| {
            Ok(IsrState {
                leader_epoch: LeaderEpoch(leader_epoch),
                partition_epoch: PartitionEpoch(partition_epoch),
                isr,
            })
        }
    };
    let mut table = Table::default();
    table.row(["answer"].into_iter().chain(isr_states().iter().map(|(name, ..)| *name)));
    let mut row = |name: &str, answer: &dyn Fn(Brokers) -> Result<IsrState, Refusal>, to_another: bool| {
        let cells = isr_states().map(|(_, before, mut proposal)| {
            let mut after = before.clone();
            proposal.partition_epoch.0 -= i32::from(to_another);
            let outcome = answer(proposal.brokers());
            let out = stepped(&mut after, replica::Input::IsrAnswered { proposal, outcome });
            isr_cell(&before, &after, &out)
        });
        table.row([name.to_owned()].into_iter().chain(cells));
    };
    row("done, e3 p6 (ours e3 p5)", &state(3, 6), false);
    row("done, e3 p8 (others came first)", &state(3, 8), false);
    row("done, e3 p5 (nothing changed)", &state(3, 5), false);
    row("done, e3 p4 (older)", &state(3, 4), false);
    row("done, e4 p6 (another leadership)", &state(4, 6), false);
    row("done, e2 p6 (an earlier leadership)", &state(2, 6), false);
    row("done, but to another proposal", &state(3, 6), true);
    let in_order = [
        IneligibleReplica,
        FencedLeaderEpoch,
        InvalidUpdateVersion,
        InvalidRequest,
        UnknownTopicId,
        UnknownTopicOrPartition,
        NotController,
        StaleBrokerEpoch,
        BrokerIdNotRegistered,
        RequestTimedOut,
    ];
    for refusal in in_order {
        row(refusal.name(), &move |_| Err(refusal), false);
    }
    row("INELIGIBLE_REPLICA, to another proposal", &|_| Err(IneligibleReplica), true);
    check(&[table.text("b1 leads in e3 p5, and the controller answers")], expect_file!["snapshots/isr.txt"]);
}

/// A broker at a stage, published, with one partition of its own.
fn at_stage(stage: Stage) -> Broker<Test> {
    let mut broker = Broker::new(ME, IncarnationId::default(), None);
    let mut hear = |input| broker.step(RULES, input, &mut Vec::new());
    let partition = Partition {
        replicas: vec![ME],
        isr: set([1]),
        elr: Brokers::default(),
        last_known_leader: None,
        leader: Some(ME),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        recovering: false,
    };
    let created = Record::TopicCreated { topic: P.topic, name: "t".into() };
    let records = vec![created, Record::PartitionCreated { topic: P.topic, partition }];
    hear(broker::Input::MetadataArrived { from: Offset(0), records, at: 0 });
    if stage >= Stage::Running {
        hear(broker::Input::RegistrationAnswered { outcome: Ok(BrokerEpoch(1)), at: 0 });
    }
    if stage >= Stage::ShuttingDown {
        hear(broker::Input::ShutdownAsked);
    }
    if stage >= Stage::Closing {
        hear(broker::Input::HeartbeatAnswered(Ok(reply(true))));
    }
    assert_eq!(broker.stage(), stage);
    broker
}

fn reply(should_shut_down: bool) -> HeartbeatReply {
    HeartbeatReply { is_caught_up: true, is_fenced: false, should_shut_down }
}

fn word(output: &broker::Output<Test>) -> String {
    use broker::Output;
    match output {
        Output::Register { .. } => "Register".into(),
        Output::Heartbeat { want_fence, want_shutdown, .. } => {
            let wants = [(*want_fence, "+fence"), (*want_shutdown, "+shutdown")];
            let wants: String = wants.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name).collect();
            format!("Heartbeat{wants}")
        }
        Output::AlterPartition { .. } => "AlterPartition".into(),
        Output::Tell { input, .. } => {
            let told = format!("{input:?}");
            format!("Tell {}", told.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        }
        Output::CloseLogs => "CloseLogs".into(),
        Output::WriteCleanShutdown { .. } => "WriteCleanShutdown".into(),
        Output::Exit => "Exit".into(),
        Output::SetTimer(timer) => format!("SetTimer {timer:?}"),
    }
}

// Verifies: broker.register, broker.isr.retry, broker.metadata.order, broker.shutdown.clean
#[test]
fn what_a_broker_hears_at_each_stage() {
    use broker::Input;
    let proposal = IsrProposal { leader_epoch: LeaderEpoch(0), partition_epoch: PartitionEpoch(0), members: vec![] };
    let change = PartitionChange { isr: Some(set([1])), ..PartitionChange::default() };
    let arrived = |from, record| Input::MetadataArrived { from: Offset(from), records: vec![record], at: 0 };
    let changed = Record::PartitionChanged { partition: P, change };
    let inputs = [
        ("Started", vec![Input::Started]),
        ("Registered", vec![Input::RegistrationAnswered { outcome: Ok(BrokerEpoch(1)), at: 0 }]),
        ("Registration refused", vec![Input::RegistrationAnswered { outcome: Err(Refusal::NotController), at: 0 }]),
        ("Heartbeat answered", vec![Input::HeartbeatAnswered(Ok(reply(false)))]),
        ("Heartbeat answered: stop", vec![Input::HeartbeatAnswered(Ok(reply(true)))]),
        ("Heartbeat refused", vec![Input::HeartbeatAnswered(Err(Refusal::StaleBrokerEpoch))]),
        ("Snapshot loaded", vec![Input::SnapshotLoaded { image: Arc::default(), end: Offset(9), at: 0 }]),
        ("Partition changed", vec![arrived(2, changed.clone())]),
        ("Partition changed, past a gap", vec![arrived(3, changed)]),
        ("Topic removed", vec![arrived(2, Record::TopicRemoved { topic: P.topic })]),
        ("ISR proposed", vec![Input::IsrProposed { partition: P, proposal: proposal.clone() }]),
        (
            "… and answered",
            vec![
                Input::IsrProposed { partition: P, proposal: proposal.clone() },
                Input::AlterPartitionAnswered(Ok(vec![(P, Err(Refusal::IneligibleReplica))])),
            ],
        ),
        (
            "… and refused as a whole",
            vec![
                Input::IsrProposed { partition: P, proposal },
                Input::AlterPartitionAnswered(Err(Refusal::NotController)),
            ],
        ),
        ("Shutdown asked", vec![Input::ShutdownAsked]),
        ("Logs closed", vec![Input::LogsClosed]),
        ("Replica failed", vec![Input::ReplicaFailed]),
        ("… and logs closed", vec![Input::ReplicaFailed, Input::LogsClosed]),
        ("Registration timer", vec![Input::TimerFired(broker::Timer::Registration)]),
        ("Heartbeat timer", vec![Input::TimerFired(broker::Timer::Heartbeat)]),
        ("AlterPartition timer", vec![Input::TimerFired(broker::Timer::AlterPartitionRetry)]),
    ];
    let stages = [Stage::Registering, Stage::Running, Stage::ShuttingDown, Stage::Closing];
    let mut table = Table::default();
    table.row(["input".to_owned()].into_iter().chain(stages.map(|stage| format!("{stage:?}"))));
    for (name, inputs) in inputs {
        let cells = stages.map(|stage| {
            let (mut broker, mut out) = (at_stage(stage), Vec::new());
            for input in inputs.clone() {
                out.clear();
                broker.step(RULES, input, &mut out);
            }
            let moved = (broker.stage() != stage).then(|| format!("→ {:?}:", broker.stage()));
            let said = out.iter().map(word).collect::<Vec<_>>().join(", ");
            let cell: Vec<_> = moved.into_iter().chain((!said.is_empty()).then_some(said)).collect();
            if cell.is_empty() { "·".to_owned() } else { cell.join(" ") }
        });
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    check(&[table.text("What a broker does with what it hears")], expect_file!["snapshots/broker_stage.txt"]);
}

fn view(role: ReadRole) -> ReadView {
    let began = |epoch, start| EpochEntry { epoch: LeaderEpoch(epoch), start: Offset(start) };
    ReadView {
        role,
        leader_epoch: Some(LeaderEpoch(3)),
        epochs: [began(1, 2), began(3, 4)].into_iter().collect(),
        log_start: Offset(2),
        high_watermark: Offset(5),
        log_end: Offset(8),
    }
}

fn outcome(answer: Answer) -> String {
    match answer {
        Answer::Read { from, upto, .. } if from == upto => "nothing yet".into(),
        Answer::Read { from, upto, .. } => format!("read {from}..{upto}"),
        Answer::Diverging(end) => format!("diverging {} ends {}", end.epoch, end.end),
        Answer::Refused(refusal) => refusal.name().into(),
    }
}

const READERS: [(&str, Reader); 3] = [
    ("consumer", Reader::Consumer),
    ("follower, assigned", Reader::Follower(BrokerId(2))),
    ("follower, not assigned", Reader::Follower(BrokerId(4))),
];

// Verifies: replica.fetch.fence, replica.fetch.diverging, replica.read.bound, replica.read.range
#[test]
fn the_checks_of_a_fetch() {
    let leads = || ReadRole::Leader { assigned: set([2, 3]), epoch_start: Offset(0) };
    let roles = [
        ("leads in e3", leads()),
        ("does not lead", ReadRole::NotLeader),
        ("offline", ReadRole::Offline(Refusal::StorageError)),
    ];
    let by_role = |name: &str, rules: &Rules| {
        let mut table = Table::default();
        table.row(["role", "reader's epoch"].into_iter().chain(READERS.map(|(name, _)| name)));
        for (role_name, role) in &roles {
            for (epoch_name, epoch) in [("none", None), ("e2", Some(2)), ("e3", Some(3)), ("e4", Some(4))] {
                let cells = READERS.map(|(_, reader)| {
                    let leader_epoch = epoch.map(LeaderEpoch);
                    let ask = Ask { reader, leader_epoch, offset: Offset(4), last_fetched_epoch: None };
                    outcome(view(role.clone()).answer(rules, &ask))
                });
                table.row([role_name.to_string(), epoch_name.to_owned()].into_iter().chain(cells));
            }
        }
        table.text(&format!("{name}: a fetch at 4 from a log 2..8, high watermark 5"))
    };
    let lasts = [
        ("no last epoch", None),
        ("last e3", Some(3)),
        ("last e2", Some(2)),
        ("last e1", Some(1)),
        ("last e0", Some(0)),
        ("last e4", Some(4)),
    ];
    let by_offset = |name: &str, rules: &Rules| {
        let mut table = Table::default();
        table.row(
            ["offset", "consumer"]
                .into_iter()
                .map(str::to_owned)
                .chain(lasts.map(|(name, _)| format!("follower, {name}"))),
        );
        for offset in [1, 2, 4, 5, 6, 8, 9].map(Offset) {
            let answer = |reader, last: Option<i32>| {
                let ask = Ask {
                    reader,
                    leader_epoch: Some(LeaderEpoch(3)),
                    offset,
                    last_fetched_epoch: last.map(LeaderEpoch),
                };
                outcome(view(leads()).answer(rules, &ask))
            };
            let follower = |(_, last)| answer(Reader::Follower(BrokerId(2)), last);
            table.row([offset.to_string(), answer(Reader::Consumer, None)].into_iter().chain(lasts.map(follower)));
        }
        table.text(&format!("{name}: log 2..8, e1 from 2, e3 from 4, high watermark 5"))
    };
    let tables = [
        by_role("KAFKA", &Rules::KAFKA),
        by_role("V2_0", &Rules::V2_0),
        by_offset("KAFKA", &Rules::KAFKA),
        by_offset("V0_11", &Rules::V0_11),
    ];
    check(&tables, expect_file!["snapshots/fetch.txt"]);
}
