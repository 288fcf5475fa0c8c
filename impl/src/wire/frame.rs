//! Frames: a header and a message. On a connection four bytes of length come first.
//!
//! Functions that take a frame want it without those four bytes; functions that make one put them in front.
//!
//! What a server does with a frame that is not understood: if [`header`] succeeds, the request is ApiVersions and its
//! version is unsupported, it answers with error 35 and its own versions, in version 0, so that the client can try
//! again (KIP-511). In every other case it closes the connection.

use super::api::{ApiKey, Request, Response};
use super::error::{DecodeError, EncodeError};
use super::messages::{RequestHeader, ResponseHeader};
use super::reader::Reader;
use super::table::Message;
use super::writer::Writer;
use bytes::Bytes;

/// The header of a request frame, whether or not the version that it names is supported.
///
/// # Errors
/// If the kind of request is unknown, and so its header, or the bytes are no header.
pub fn header(frame: &Bytes) -> Result<RequestHeader, DecodeError> {
    read_header(&mut Reader::new(frame)).map(|(_, header)| header)
}

/// A request frame's header and request.
///
/// # Errors
/// If the kind of request or its version is unknown, or the bytes are no such request.
pub fn decode_request(frame: &Bytes) -> Result<(RequestHeader, Request), DecodeError> {
    let mut reader = Reader::new(frame);
    let (key, header) = read_header(&mut reader)?;
    let body = frame.slice(reader.position()..);
    let request = Request::decode(key, header.request_api_version, &body)?;
    Ok((header, request))
}

fn read_header(reader: &mut Reader<'_>) -> Result<(ApiKey, RequestHeader), DecodeError> {
    let (key, version) = peek_kind(reader.clone()).map_err(|error| error.in_message(RequestHeader::SCHEMA.name))?;
    let header = RequestHeader::decode_from(reader, key.api().request_header_version(version))?;
    Ok((key, header))
}

/// The first two fields of a header, which say how the others are laid out.
fn peek_kind(mut reader: Reader<'_>) -> Result<(ApiKey, i16), DecodeError> {
    let code = reader.array().map(i16::from_be_bytes)?;
    let version = reader.array().map(i16::from_be_bytes)?;
    let key = ApiKey::try_from(code).map_err(|fault| DecodeError::new(0, fault))?;
    Ok((key, version))
}

/// A whole request frame, length included.
///
/// # Errors
/// If the version does not exist or cannot express a value.
pub fn encode_request(
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
    request: &Request,
) -> Result<Bytes, EncodeError> {
    let key = request.key();
    let header = RequestHeader {
        request_api_key: key.code(),
        request_api_version: version,
        correlation_id,
        client_id: client_id.map(str::to_owned),
    };
    let mut writer = Writer::default();
    writer.length_prefixed(|writer| {
        header.encode(writer, key.api().request_header_version(version))?;
        request.encode(writer, version)
    })?;
    Ok(writer.into_bytes())
}

/// A response frame's correlation id and response, if it answers a request of kind `key` and of `version`.
///
/// # Errors
/// If the bytes are no such response.
pub fn decode_response(key: ApiKey, version: i16, frame: &Bytes) -> Result<(i32, Response), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = ResponseHeader::decode_from(&mut reader, key.api().response_header_version(version))?;
    let body = frame.slice(reader.position()..);
    let response = Response::decode(key, version, &body)?;
    Ok((header.correlation_id, response))
}

/// A whole response frame, length included. `version` is the request's, and 0 where an ApiVersions request of an
/// unsupported version is refused.
///
/// # Errors
/// If the version does not exist or cannot express a value.
pub fn encode_response(version: i16, correlation_id: i32, response: &Response) -> Result<Bytes, EncodeError> {
    let header = ResponseHeader { correlation_id };
    let mut writer = Writer::default();
    writer.length_prefixed(|writer| {
        header.encode(writer, response.key().api().response_header_version(version))?;
        response.encode(writer, version)
    })?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error::Fault;
    use crate::wire::messages::{ApiVersionsRequest, ApiVersionsResponse, ProduceRequest};

    /// Takes the length off a frame, which has to be right.
    fn without_length(mut frame: Bytes) -> Bytes {
        let length = frame.split_to(4);
        assert_eq!(length, (frame.len() as u32).to_be_bytes()[..]);
        frame
    }

    #[test]
    fn requests_come_back() {
        let request = Request::from(ProduceRequest { acks: -1, timeout_ms: 30_000, ..ProduceRequest::default() });
        for version in ProduceRequest::VERSIONS.iter() {
            for client_id in [None, Some("c")] {
                let frame = without_length(encode_request(version, 7, client_id, &request).unwrap());
                let (header, decoded) = decode_request(&frame).unwrap();
                assert_eq!(decoded, request);
                assert_eq!((header.correlation_id, header.client_id.as_deref()), (7, client_id));
                assert_eq!((header.request_api_key, header.request_api_version), (0, version));
            }
        }
    }

    #[test]
    fn responses_come_back() {
        let response = Response::from(ApiVersionsResponse { error_code: 35, ..ApiVersionsResponse::default() });
        for version in ApiVersionsResponse::VERSIONS.iter() {
            let frame = without_length(encode_response(version, 7, &response).unwrap());
            // No tagged fields in the header: the body follows the correlation id in every version.
            assert_eq!(frame[..6], [0, 0, 0, 7, 0, 35]);
            assert_eq!(decode_response(ApiKey::ApiVersions, version, &frame), Ok((7, response.clone())));
        }
    }

    #[test]
    fn an_unsupported_version_leaves_the_header_readable() {
        let request = Request::from(ApiVersionsRequest::default());
        let mut frame = without_length(encode_request(4, 7, Some("c"), &request).unwrap()).to_vec();
        frame[2..4].copy_from_slice(&99i16.to_be_bytes());
        frame.truncate(frame.len() - 1); // whatever version 99 may contain
        let frame = Bytes::from(frame);
        assert_eq!(header(&frame).unwrap().correlation_id, 7);
        let error = decode_request(&frame).unwrap_err();
        assert_eq!(error.fault, Fault::Version(99));
        assert_eq!(error.to_string(), "ApiVersionsRequest at byte 0: version 99 is not supported");
    }

    #[test]
    fn an_unknown_kind_has_no_header() {
        let frame = Bytes::from_static(&[0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
        let error = header(&frame).unwrap_err();
        assert_eq!(error.fault, Fault::ApiKey(0x7f00));
        assert_eq!(header(&frame.slice(..3)).unwrap_err().fault, Fault::Short { needed: 2, left: 1 });
    }
}
