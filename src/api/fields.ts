import { z } from "zod";
import { parseCidr } from "../address/cidr.ts";
import { isV4Mapped, parseIp } from "../address/ip.ts";
import { validations } from "./validation.ts";

const cidrWords = "expected a network such as 10.1.0.0/16 or fd00:1::/48";
const addressWords = "expected an IP address such as 10.1.0.1 or fd00:1::1";
const canonicalWords = "expected an IP address as it is usually written: 10.1.0.1 or fd00:1::1";

/** A network of either family. */
export const cidr = z
  .string()
  .max(49)
  .refine((text) => isNative(parseCidr(text)?.ip), { error: cidrWords })
  .meta(validations({ rule: "isCIDR(self)", message: cidrWords }));

/** An address of either family. */
export const address = z
  .string()
  .max(45)
  .refine((text) => isNative(parseIp(text)), { error: addressWords })
  .meta(validations({ rule: "isIP(self)", message: addressWords }));

/** An address in the one spelling that programs compare as text. */
export const canonicalAddress = z
  .string()
  .max(45)
  .meta(validations({ rule: "isIP(self) && ip.isCanonical(self)", message: canonicalWords }));

/** An index among addresses, or a count of them. */
export const index = z.int().min(0);

/** A decimal number of any length: an IPv6 pool has more addresses than a number of JSON's can say. */
export const decimal = z
  .string()
  .max(39)
  .regex(/^(0|[1-9][0-9]*)$/, { error: "expected a decimal number" });

/** An object's name: a DNS subdomain. */
export const objectName = z.string().max(253);

/** A moment, RFC 3339. */
export const moment = z.string().max(64).meta({ format: "date-time" });

/** IPv4 inside of IPv6 (::ffff:10.1.0.1) is an address of neither family. */
function isNative(ip: ReturnType<typeof parseIp>): boolean {
  return ip !== undefined && !isV4Mapped(ip);
}
