//! The cases of confluent-kafka in groups of the consumer protocol (KIP-848).

use super::Case;
use super::confluent::case;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    let shared = || json!({"read": 40, "values": 40});
    let administered = json!({"described": ["CONSUMER", "STABLE", "uniform", 1], "read": [0, 1], "target": [0, 1],
                              "busy": "NON_EMPTY_GROUP", "lists": [["STABLE"], []], "empty": ["EMPTY"], "gone": null,
                              "after": []});
    vec![
        case("consumer_group_goes_on", "", json!({"read": ["0", "1", "2"], "rest": ["3", "4"]})),
        case("consumer_group_shares", "uniform", shared()),
        case("consumer_group_shares", "range", shared()),
        case("consumer_group_static", "", json!({"same": true, "heard": 0})),
        case("consumer_group_grows", "", json!({"read": [0, 1]})),
        case("consumer_group_admin", "", administered),
    ]
}
