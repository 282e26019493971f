/** The administrator's part of the HTTP interface, loaded with the pages that need it. */

import { readAdminCamera, readAdminCameras, readTest, type AdminCamera, type TestResult } from "../logic/camera-admin";
import type { MaskBody } from "../logic/mask";
import { readLoad, type Load } from "../logic/performance";
import { readStock, type Stock } from "../logic/recording-settings";
import { readStatus, type ServerStatus } from "../logic/server-status";
import { readValues, type Values } from "../logic/settings-values";
import { ApiError, type Api } from "./api";

/** A test may take twenty seconds. */
const TEST_TIMEOUT_MS = 30_000;

function known<T>(value: T | null): T {
  if (value === null) throw new ApiError(502, "unreadable", "");
  return value;
}

export class AdminApi {
  constructor(private readonly api: Pick<Api, "call">) {}

  async cameras(): Promise<AdminCamera[]> {
    return known(readAdminCameras(await this.api.call("GET", "/admin/cameras")));
  }

  async addCamera(body: Readonly<Record<string, unknown>>): Promise<AdminCamera> {
    return known(readAdminCamera(await this.api.call("POST", "/admin/cameras", body)));
  }

  async changeCamera(id: string, body: Readonly<Record<string, unknown>> | MaskBody): Promise<AdminCamera> {
    return known(readAdminCamera(await this.api.call("PATCH", `/admin/cameras/${encodeURIComponent(id)}`, body)));
  }

  /** At once, or in so many seconds unless it is kept meanwhile. */
  async removeCamera(id: string, inSeconds?: number): Promise<void> {
    const later = inSeconds === undefined ? "" : `?in_seconds=${inSeconds}`;
    await this.api.call("DELETE", `/admin/cameras/${encodeURIComponent(id)}${later}`);
  }

  async keepCamera(id: string): Promise<void> {
    await this.api.call("DELETE", `/admin/cameras/${encodeURIComponent(id)}/removal`);
  }

  /** The values of a tab; `needs`: see `readValues`. */
  async settings(tab: string, needs: readonly string[]): Promise<Values> {
    return known(readValues(await this.api.call("GET", `/admin/settings/${tab}`), needs));
  }

  async saveSettings(tab: string, body: Values): Promise<void> {
    await this.api.call("PUT", `/admin/settings/${tab}`, body);
  }

  async stock(): Promise<Stock> {
    return known(readStock(await this.api.call("GET", "/admin/recorder")));
  }

  async load(): Promise<Load> {
    return known(readLoad(await this.api.call("GET", "/status")));
  }

  async status(): Promise<ServerStatus> {
    return known(readStatus(await this.api.call("GET", "/status")));
  }

  async testCamera(body: Record<string, string>): Promise<TestResult> {
    return known(readTest(await this.api.call("POST", "/admin/camera-tests", body, TEST_TIMEOUT_MS)));
  }
}
