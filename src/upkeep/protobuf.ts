/** A field of a message as it is on the wire: a number, or bytes (a text, a message). */
export type Field = { number: number; value: number; bytes: Uint8Array };

const none = new Uint8Array();

/** The fields of a message in their order (protobuf.dev/programming-guides/encoding). Throws where it is none. */
export function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError("it is no protobuf message");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  function take(length: number): Uint8Array {
    if (length > message.length - at) throw new RangeError("it is no protobuf message");
    at += length;
    return message.subarray(at - length, at);
  }

  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        found.push({ number, value: varint(), bytes: none });
        break;
      case 1:
        found.push({ number, value: 0, bytes: take(8) });
        break;
      case 2:
        found.push({ number, value: 0, bytes: take(varint()) });
        break;
      case 5:
        found.push({ number, value: 0, bytes: take(4) });
        break;
      default:
        throw new RangeError("it is no protobuf message");
    }
  }
  return found;
}

/** The last one of its number, which is what counts. */
export function field(message: Field[], number: number): Field | undefined {
  return message.findLast((one) => one.number === number);
}

export function textOf(one: Field | undefined): string {
  return new TextDecoder().decode(one?.bytes);
}
