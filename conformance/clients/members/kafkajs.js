// A member of a group, or a producer, with the kafkajs client.
//
//     kafkajs.js member BOOTSTRAP GROUP TOPIC WHO STRATEGY SESSION_MS
//     kafkajs.js produce BOOTSTRAP TOPIC WHO COUNT
//
// A member reads until its standard input ends, and commits what it has read, batch by batch. A producer has default
// settings. Both tell every event of it. kafkajs has neither static members nor an assignor that other clients have;
// it takes assignors that its users write, and so there is one here.

const { Kafka, logLevel, AssignerProtocol, CompressionTypes, CompressionCodecs } = require('kafkajs')
// Other clients compress with Snappy by default, and kafkajs leaves that to its users.
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const FENCED = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']

// The clock that all clients of this machine share.
const now = () => Number(process.hrtime.bigint())

const teller = head => (began, did, more) => {
  const event = { ...head, began, ended: now(), did, ...more }
  process.stdout.write(JSON.stringify(event) + '\n')
}

const untilAskedToEnd = () =>
  new Promise(resolve => {
    process.stdin.on('end', resolve)
    process.stdin.resume()
  })

// Kafka's range assignor, for members that all read the same topics.
const range = ({ cluster }) => ({
  name: 'range',
  version: 0,
  protocol({ topics }) {
    return { name: 'range', metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics }) }
  },
  async assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).sort()
    const shares = ids.map(memberId => ({ memberId, assignment: {} }))
    for (const topic of topics) {
      const all = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      all.sort((a, b) => a - b)
      let from = 0
      shares.forEach(({ assignment }, index) => {
        const count = Math.floor(all.length / ids.length) + (index < all.length % ids.length ? 1 : 0)
        assignment[topic] = all.slice(from, from + count)
        from += count
      })
    }
    return shares.map(({ memberId, assignment }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment }),
    }))
  },
})

const client = (bootstrap, who) =>
  new Kafka({
    clientId: who,
    brokers: bootstrap.split(','),
    logLevel: logLevel.WARN,
    logCreator: () => ({ log }) => process.stderr.write(JSON.stringify(log) + '\n'),
  })

async function member(bootstrap, group, topic, who, strategy, sessionMs) {
  if (strategy !== 'range') throw new Error(`no such strategy here: ${strategy}`)
  const tell = teller({ who, group })
  const asked = untilAskedToEnd()
  const consumer = client(bootstrap, who).consumer({
    groupId: group,
    sessionTimeout: Number(sessionMs),
    heartbeatInterval: 500,
    maxWaitTimeInMs: 300,
    partitionAssigners: [range],
  })
  let own = []
  // What is given back and what is lost can't be told apart here.
  const drop = () => {
    if (own.length > 0) tell(now(), 'lost', { partitions: own })
    own = []
  }
  consumer.on(consumer.events.REBALANCING, drop)
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    drop()
    const ofTopic = ([name, partitions]) => partitions.map(partition => [name, partition])
    own = Object.entries(payload.memberAssignment).flatMap(ofTopic)
    tell(now(), 'assigned', { partitions: own })
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => process.stderr.write(`${payload.error}\n`))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const [began, partition] = [now(), [batch.topic, batch.partition]]
      for (const { offset, value } of batch.messages) {
        tell(began, 'polled', { partition, offset: Number(offset), value: value.toString() })
      }
      await commit(consumer, tell, partition, Number(batch.lastOffset()) + 1)
    },
  })
  await asked
  await consumer.disconnect()
  tell(now(), 'gone', {})
}

async function commit(consumer, tell, partition, offset) {
  const began = now()
  let answer = 'accepted'
  try {
    await consumer.commitOffsets([{ topic: partition[0], partition: partition[1], offset: String(offset) }])
  } catch (error) {
    const { type, cause, message } = error
    const name = type || (cause && cause.type) || message
    answer = FENCED.includes(name) ? { refused: name } : { unknown: name }
  }
  tell(began, 'committed', { partition, offset, answer })
}

async function produce(bootstrap, topic, who, count) {
  const tell = teller({ who })
  const producer = client(bootstrap, who).producer()
  await producer.connect()
  for (let number = 0; number < Number(count); number++) {
    const [began, value] = [now(), `${who} ${number}`]
    let [partition, fate] = [null, null]
    try {
      const [sent] = await producer.send({ topic, messages: [{ value }] })
      partition = [topic, sent.partition]
      fate = { acknowledged: Number(sent.baseOffset) }
    } catch (error) {
      fate = { unknown: String(error) }
    }
    tell(began, 'sent', { partition, value, once: false, fate })
  }
  await producer.disconnect()
}

const [what, ...rest] = process.argv.slice(2)
const ended = { member, produce }[what](...rest)
ended.then(
  () => process.exit(0),
  error => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
