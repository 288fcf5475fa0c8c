//! ApiVersions: what this listener understands, and at which levels the cluster works (KIP-35, KIP-511, KIP-584).

use super::errors;
use crate::wire::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use crate::wire::{API, Listener};

/// The feature of which level 1 is the consumer protocol of groups (KIP-848). Here it is never anything else.
const GROUP_VERSION: (&str, i16) = ("group.version", 1);

/// From this version on a feature may have a level 0.
const LEVEL_ZERO: i16 = 4;

/// What is understood at `listener`. From version 3 on a client has to say properly what it is.
pub fn answer(listener: Listener, version: i16, request: &ApiVersionsRequest) -> ApiVersionsResponse {
    let named = is_valid_name(&request.client_software_name) && is_valid_name(&request.client_software_version);
    if version >= 3 && !named {
        return ApiVersionsResponse { error_code: errors::INVALID_REQUEST, ..Default::default() };
    }
    let (name, level) = GROUP_VERSION;
    ApiVersionsResponse {
        api_keys: known(listener),
        supported_features: vec![SupportedFeatureKey {
            name: name.to_owned(),
            // Older clients can't read a level 0.
            min_version: if version >= LEVEL_ZERO { 0 } else { 1 },
            max_version: level,
        }],
        finalized_features_epoch: 0,
        finalized_features: vec![FinalizedFeatureKey {
            name: name.to_owned(),
            max_version_level: level,
            min_version_level: level,
        }],
        ..Default::default()
    }
}

/// The answer to a version that does not exist: which do.
pub fn unsupported(listener: Listener) -> ApiVersionsResponse {
    let own = known(listener).into_iter().filter(|api| api.api_key == crate::wire::ApiKey::ApiVersions.code());
    ApiVersionsResponse { error_code: errors::UNSUPPORTED_VERSION, api_keys: own.collect(), ..Default::default() }
}

fn known(listener: Listener) -> Vec<ApiVersion> {
    let here = API.iter().filter(|api| api.listeners.contains(&listener));
    let versions = here.map(|api| ApiVersion {
        api_key: api.key.code(),
        min_version: api.advertised.min,
        max_version: api.advertised.max,
    });
    versions.collect()
}

/// Letters, digits, `.` and `-`, beginning and ending with a letter or digit.
fn is_valid_name(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || b".-".contains(byte))
}
