{{- define "pricing-proxy.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "pricing-proxy.labels" -}}
app.kubernetes.io/name: pricing-proxy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "pricing-proxy.configMap" -}}
{{- .Values.existingConfigMap | default (include "pricing-proxy.fullname" .) }}
{{- end }}

{{- define "pricing-proxy.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "pricing-proxy.fullname" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* Whose account a program's pods have: with a workload identity, each its own. */}}
{{- define "pricing-proxy.accountOf" -}}
{{- include "pricing-proxy.serviceAccount" .root }}{{ if .root.Values.workloadIdentity.enabled }}-{{ .component }}{{ end }}
{{- end }}

{{/* By this the cluster's webhook knows the pods that it gives a token. */}}
{{- define "pricing-proxy.identityLabel" -}}
{{- if .Values.workloadIdentity.enabled }}
azure.workload.identity/use: "true"
{{- end }}
{{- end }}

{{- define "pricing-proxy.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What a replica needs after SIGTERM: shutdown_seconds, what is under way (5), last loads (2), and some. */}}
{{- define "pricing-proxy.serveGrace" -}}
{{ add (int .Values.shutdownSeconds) 15 }}
{{- end }}

{{/* Where Prometheus asks a pod, by name: each worker of `serve` by itself. */}}
{{- define "pricing-proxy.metricsPorts" -}}
metrics
{{- if eq .component "serve" }}
{{- range $worker := untilStep 2 (add1 (int .root.Values.serve.workers) | int) 1 }} metrics-{{ $worker }}{{ end }}
{{- end }}
{{- end }}

{{/* What a pod of either program has; `configMap` names whose configuration. */}}
{{- define "pricing-proxy.pod" -}}
automountServiceAccountToken: false
# Kubernetes would name each Service in the environment, where the programs read settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    configMap: {name: {{ .configMap }}}
  - name: secrets
    secret: {secretName: {{ .root.Values.secretName }}, defaultMode: 0440}
  {{- with .certificate }}
  - name: certificate
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
{{- end }}

{{- define "pricing-proxy.container" -}}
image: {{ include "pricing-proxy.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  # Whole folders: of a single file (subPath) nobody would see that it changed.
  - {name: config, mountPath: /etc/pricing-proxy, readOnly: true}
  - {name: secrets, mountPath: /etc/pricing-proxy-secrets, readOnly: true}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* Another of a container's volumeMounts: a whole folder, so that it is seen to change. */}}
{{- define "pricing-proxy.certificateMount" -}}
{{- if . }}
- {name: certificate, mountPath: /etc/pricing-proxy-certificate, readOnly: true}
{{- end }}
{{- end }}

{{- define "pricing-proxy.environment" -}}
- {name: PRICING_PROXY_SECRETS_DIR, value: /etc/pricing-proxy-secrets}
- {name: PRICING_PROXY_SERVICE__SHUTDOWN_SECONDS, value: {{ .Values.shutdownSeconds | quote }}}
- {name: PRICING_PROXY_SERVICE__METRICS__PORT, value: "8082"}
- {name: PRICING_PROXY_SYNC__METRICS__PORT, value: "8092"}
{{- if .Values.migrate.enabled }}
# The job does.
- {name: PRICING_PROXY_SYNC__POSTGRES__MIGRATE, value: "false"}
{{- end }}
- {name: PRICING_PROXY_SYNC__INTAKE__HOST, value: 0.0.0.0}
{{- end }}

{{- define "pricing-proxy.spread" -}}
topologySpreadConstraints:
{{- range tuple "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        app.kubernetes.io/instance: {{ $.root.Release.Name }}
        app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- end }}
