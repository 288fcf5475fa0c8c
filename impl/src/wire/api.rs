//! The requests that exist: one table of keys, messages and listeners.

use super::error::{DecodeError, EncodeError, Fault};
use super::messages::*;
use super::reader::Reader;
use super::schema::{Schema, Versions};
use super::table::Message;
use super::writer::Writer;
use bytes::Bytes;
use std::fmt;

/// A message that asks for a response.
pub trait RequestMessage: Message {
    /// Its kind.
    const KEY: ApiKey;
    /// What answers it.
    type Response: Message;
}

/// Who listens at an address, and so which requests are understood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    /// A broker, for clients and followers.
    Broker,
    /// A controller, for brokers and administrators.
    Controller,
}

/// One kind of request, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its kind.
    pub key: ApiKey,
    /// Kafka's name of it, such as `Fetch`.
    pub name: &'static str,
    /// Where it is understood.
    pub listeners: &'static [Listener],
    /// The versions that ApiVersions tells clients: those of the request, and for Produce some that no longer exist,
    /// because old librdkafka takes a missing version 0 for a lack of compression (KAFKA-18659).
    pub advertised: Versions,
    /// The request.
    pub request: &'static Schema,
    /// The response.
    pub response: &'static Schema,
}

impl Api {
    /// The version of the header before a request of `version`, whether or not that version exists.
    #[must_use]
    pub const fn request_header_version(&self, version: i16) -> i16 {
        if self.request.flexible.contains(version) { 2 } else { 1 }
    }

    /// The version of the header before a response of `version`. Before ApiVersions it is always 0, so that a client
    /// understands it whatever the server speaks (KIP-511).
    #[must_use]
    pub const fn response_header_version(&self, version: i16) -> i16 {
        match self.key {
            ApiKey::ApiVersions => 0,
            _ if self.response.flexible.contains(version) => 1,
            _ => 0,
        }
    }
}

macro_rules! apis {
    ($($key:literal $name:ident: $request:ident => $response:ident, $($listener:ident)+
        $(, advertised $min:literal - $max:literal)?;)*) => {
        /// A kind of request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the names are Kafka's
        #[repr(i16)]
        pub enum ApiKey {
            $($name = $key,)*
        }

        /// Every kind of request, by key.
        pub const API: &[&Api] = &[$(ApiKey::$name.api(),)*];

        $(impl RequestMessage for $request {
            const KEY: ApiKey = ApiKey::$name;
            type Response = $response;
        })*

        impl ApiKey {
            /// The kind with this number.
            #[must_use]
            pub const fn from_code(code: i16) -> Option<Self> {
                match code {
                    $($key => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// What is known of it.
            #[must_use]
            pub const fn api(self) -> &'static Api {
                match self {
                    $(Self::$name => const {
                        &Api {
                            key: ApiKey::$name,
                            name: stringify!($name),
                            listeners: &[$(Listener::$listener,)+],
                            advertised: advertised!($request $($min $max)?),
                            request: $request::SCHEMA,
                            response: $response::SCHEMA,
                        }
                    },)*
                }
            }
        }

        /// A request of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Request {
            $($name($request),)*
        }

        impl Request {
            /// Reads a request at the beginning of `body`, whose byte fields become slices of it. What follows is
            /// ignored, as Kafka does: librdkafka 2.16 leaves three bytes after Metadata 13.
            ///
            /// # Errors
            /// If `body` begins with anything else, or the version does not exist.
            pub fn decode(key: ApiKey, version: i16, body: &Bytes) -> Result<Self, DecodeError> {
                let mut reader = Reader::new(body);
                match key {
                    $(ApiKey::$name => $request::decode_from(&mut reader, version).map(Self::$name),)*
                }
            }

            /// Writes the request without its header.
            ///
            /// # Errors
            /// If the version does not exist or cannot express a value.
            pub fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(request) => request.encode(writer, version),)*
                }
            }

            /// Its kind.
            #[must_use]
            pub const fn key(&self) -> ApiKey {
                match self {
                    $(Self::$name(_) => ApiKey::$name,)*
                }
            }
        }

        /// A response of any kind.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Response {
            $($name($response),)*
        }

        impl Response {
            /// Reads a response that fills `body`, whose byte fields become slices of it.
            ///
            /// # Errors
            /// If `body` is anything else, or the version does not exist.
            pub fn decode(key: ApiKey, version: i16, body: &Bytes) -> Result<Self, DecodeError> {
                match key {
                    $(ApiKey::$name => $response::decode(body, version).map(Self::$name),)*
                }
            }

            /// Writes the response without its header.
            ///
            /// # Errors
            /// If the version does not exist or cannot express a value.
            pub fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(response) => response.encode(writer, version),)*
                }
            }

            /// The kind of request that it answers.
            #[must_use]
            pub const fn key(&self) -> ApiKey {
                match self {
                    $(Self::$name(_) => ApiKey::$name,)*
                }
            }
        }

        $(impl From<$request> for Request {
            fn from(request: $request) -> Self {
                Self::$name(request)
            }
        }

        impl From<$response> for Response {
            fn from(response: $response) -> Self {
                Self::$name(response)
            }
        })*
    };
}

macro_rules! advertised {
    ($request:ident) => {
        $request::VERSIONS
    };
    ($request:ident $min:literal $max:literal) => {
        Versions::between($min, $max)
    };
}

apis! {
    0 Produce: ProduceRequest => ProduceResponse, Broker, advertised 0-13;
    1 Fetch: FetchRequest => FetchResponse, Broker Controller;
    2 ListOffsets: ListOffsetsRequest => ListOffsetsResponse, Broker;
    3 Metadata: MetadataRequest => MetadataResponse, Broker;
    8 OffsetCommit: OffsetCommitRequest => OffsetCommitResponse, Broker;
    9 OffsetFetch: OffsetFetchRequest => OffsetFetchResponse, Broker;
    10 FindCoordinator: FindCoordinatorRequest => FindCoordinatorResponse, Broker;
    11 JoinGroup: JoinGroupRequest => JoinGroupResponse, Broker;
    12 Heartbeat: HeartbeatRequest => HeartbeatResponse, Broker;
    13 LeaveGroup: LeaveGroupRequest => LeaveGroupResponse, Broker;
    14 SyncGroup: SyncGroupRequest => SyncGroupResponse, Broker;
    15 DescribeGroups: DescribeGroupsRequest => DescribeGroupsResponse, Broker;
    16 ListGroups: ListGroupsRequest => ListGroupsResponse, Broker;
    18 ApiVersions: ApiVersionsRequest => ApiVersionsResponse, Broker Controller;
    19 CreateTopics: CreateTopicsRequest => CreateTopicsResponse, Broker Controller;
    20 DeleteTopics: DeleteTopicsRequest => DeleteTopicsResponse, Broker Controller;
    22 InitProducerId: InitProducerIdRequest => InitProducerIdResponse, Broker;
    23 OffsetForLeaderEpoch: OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse, Broker;
    32 DescribeConfigs: DescribeConfigsRequest => DescribeConfigsResponse, Broker Controller;
    42 DeleteGroups: DeleteGroupsRequest => DeleteGroupsResponse, Broker;
    43 ElectLeaders: ElectLeadersRequest => ElectLeadersResponse, Broker Controller;
    47 OffsetDelete: OffsetDeleteRequest => OffsetDeleteResponse, Broker;
    56 AlterPartition: AlterPartitionRequest => AlterPartitionResponse, Controller;
    60 DescribeCluster: DescribeClusterRequest => DescribeClusterResponse, Broker Controller;
    61 DescribeProducers: DescribeProducersRequest => DescribeProducersResponse, Broker;
    62 BrokerRegistration: BrokerRegistrationRequest => BrokerRegistrationResponse, Controller;
    63 BrokerHeartbeat: BrokerHeartbeatRequest => BrokerHeartbeatResponse, Controller;
    64 UnregisterBroker: UnregisterBrokerRequest => UnregisterBrokerResponse, Broker Controller;
    67 AllocateProducerIds: AllocateProducerIdsRequest => AllocateProducerIdsResponse, Controller;
    68 ConsumerGroupHeartbeat: ConsumerGroupHeartbeatRequest => ConsumerGroupHeartbeatResponse, Broker;
    69 ConsumerGroupDescribe: ConsumerGroupDescribeRequest => ConsumerGroupDescribeResponse, Broker;
    75 DescribeTopicPartitions: DescribeTopicPartitionsRequest => DescribeTopicPartitionsResponse, Broker;
}

impl ApiKey {
    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> i16 {
        self as i16
    }
}

/// Kafka's name of it.
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api().name)
    }
}

impl TryFrom<i16> for ApiKey {
    type Error = Fault;

    fn try_from(code: i16) -> Result<Self, Self::Error> {
        Self::from_code(code).ok_or(Fault::ApiKey(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_name_their_messages() {
        assert!(API.is_sorted_by_key(|api| api.key.code()));
        for api in API {
            assert_eq!(ApiKey::from_code(api.key.code()), Some(api.key));
            assert_eq!(api.request.name, format!("{}Request", api.name));
            assert_eq!(api.response.name, format!("{}Response", api.name));
            assert_eq!(api.request.versions, api.response.versions, "{}", api.name);
            assert_eq!(api.advertised.max, api.request.versions.max, "{}", api.name);
            assert!(api.advertised.min <= api.request.versions.min, "{}", api.name);
        }
    }
}
