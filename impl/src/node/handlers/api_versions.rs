//! ApiVersions: what this listener understands (KIP-35, KIP-511).

use super::errors;
use crate::wire::messages::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use crate::wire::{API, Listener};

/// What is understood at `listener`. From version 3 on a client has to say properly what it is.
pub fn answer(listener: Listener, version: i16, request: &ApiVersionsRequest) -> ApiVersionsResponse {
    let named = is_valid_name(&request.client_software_name) && is_valid_name(&request.client_software_version);
    if version >= 3 && !named {
        return ApiVersionsResponse { error_code: errors::INVALID_REQUEST, ..Default::default() };
    }
    ApiVersionsResponse { api_keys: known(listener), ..Default::default() }
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
