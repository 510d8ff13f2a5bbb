{{- define "kube-node.port" -}}
{{ regexFind "[0-9]+$" .Values.metrics.address }}
{{- end }}

{{/* Probes go to the address that is served: 127.0.0.1 where that is all. */}}
{{- define "kube-node.probeHost" -}}
{{ regexReplaceAll ":[0-9]+$" .Values.metrics.address "" | trimAll "[]" | default "127.0.0.1" }}
{{- end }}

{{/* Folders of leases that /var/lib/cni doesn't hold. */}}
{{- define "kube-node.otherDataDirs" -}}
{{- $others := list -}}
{{- range .Values.dataDirs -}}
{{- if not (hasPrefix "/var/lib/cni/" (printf "%s/" .)) -}}{{- $others = append $others . -}}{{- end -}}
{{- end -}}
{{ $others | toJson }}
{{- end }}

{{/* The container but for its name and its probes; with values.uninstall there are two of them. */}}
{{- define "kube-node.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- if .Values.uninstall }}
  - uninstall
  - --host-root=/
  {{- else }}
  - run
  - --host-root=/
  - --metrics-address={{ .Values.metrics.address }}
  - --plugin-account=kube-node-plugin
  {{- end }}
  {{- if ne .Values.cniBinDir "/opt/cni/bin" }}
  - --cni-bin-dir={{ .Values.cniBinDir }}
  {{- end }}
  {{- if ne .Values.cniConfDir "/etc/cni/net.d" }}
  - --cni-conf-dir={{ .Values.cniConfDir }}
  {{- end }}
  {{- range .Values.dataDirs }}
  - --data-dir={{ . }}
  {{- end }}
  {{- if and .Values.nvIpam (not .Values.uninstall) }}
  - --nv-ipam
  {{- end }}
  {{- with .Values.criSocket }}
  - --cri-socket={{ . }}
  {{- end }}
  {{- with .Values.gracePeriod }}
  - --grace-period={{ . }}
  {{- end }}
  {{- with .Values.leakInterval }}
  - --leak-interval={{ . }}
  {{- end }}
  {{- with .Values.logLevel }}
  - --log-level={{ . }}
  {{- end }}
  {{- if .Values.cniConfig }}
  - --cni-config=/etc/kube-node/10-kube-node.conflist
  {{- end }}
  {{- if .Values.dryRun }}
  - --dry-run
  {{- end }}
env:
  - name: NODE_NAME
    valueFrom:
      fieldRef:
        fieldPath: spec.nodeName
  # The just-in-time compiler takes some 7 MiB, and an agent that is idle most of its life has no use for it.
  - name: BUN_JSC_useJIT
    value: "0"
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  privileged: false
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsUser: 0   # the folders below are root's
  capabilities:
    drop: [ALL]
    add: [SYS_PTRACE]   # to read /proc/PID/ns/net of others
  {{- if not .Values.openshift }}
  appArmorProfile:
    type: Unconfined    # the runtime's own profile forbids that reading
  {{- end }}
  seLinuxOptions:
    type: spc_t         # else SELinux forbids the host's folders
# Each at the host's own path, so that what records and configurations name is the same here.
volumeMounts:
  - name: cni-bin
    mountPath: {{ .Values.cniBinDir }}
  - name: cni-conf
    mountPath: {{ .Values.cniConfDir }}
  - name: cni-data
    mountPath: /var/lib/cni
  - name: run
    mountPath: /run/kube-node
  - name: netns
    mountPath: /run/netns
    readOnly: true
    mountPropagation: HostToContainer
  - name: machine-id
    mountPath: /etc/machine-id
    readOnly: true
  {{- range $index, $folder := include "kube-node.otherDataDirs" . | fromJsonArray }}
  - name: data-{{ $index }}
    mountPath: {{ $folder }}
  {{- end }}
  {{- with .Values.criSocket }}
  - name: cri
    mountPath: {{ . }}
  {{- end }}
  {{- if .Values.cniConfig }}
  - name: cni-config
    mountPath: /etc/kube-node
    readOnly: true
  {{- end }}
{{- end }}

{{- define "kube-node.probes" -}}
livenessProbe:
  httpGet:
    host: {{ include "kube-node.probeHost" . | quote }}
    path: /healthz
    port: {{ include "kube-node.port" . }}
  periodSeconds: 20
  timeoutSeconds: 5
  initialDelaySeconds: 10
readinessProbe:
  httpGet:
    host: {{ include "kube-node.probeHost" . | quote }}
    path: /readyz
    port: {{ include "kube-node.port" . }}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
